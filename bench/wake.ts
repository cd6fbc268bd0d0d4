import { addOthers, aheadReady, runTrue, startComputer, warmUp } from "./computer.ts";
import { plainRequests } from "./plain-request.ts";
import { type BenchResult, result, round, type Samples, samples, timed } from "./report.ts";

const rounds = 12;

/** From a request to a frozen workspace to its first answer; and from one to a stopped workspace to the prompt of a terminal. */
export async function benchWake(): Promise<BenchResult> {
  await using alcove = await startComputer({ env: { ALCOVE_FREEZE_AFTER_MS: "1000" } });
  const { client } = alcove.plane;
  await warmUp(client);
  await client.workspaces.create({ name: "cold", lifetime: { freezeAfterMs: null } });
  // Its limit keeps it out of boxes that were made ahead.
  await client.workspaces.create({ name: "alone", limits: { processes: 4_096 }, lifetime: { freezeAfterMs: null } });
  await client.workspaces.create({ name: "warm" });
  await runTrue(client, "cold");
  await runTrue(client, "alone");
  await runTrue(client, "warm");

  const ask = plainRequests(alcove);
  const bySdk = () => client.files.list("warm", "user");
  const plainly = () => ask("/workspaces/warm/files/user");
  const frozen = async (answer: () => Promise<unknown> = bySdk): Promise<number[]> => {
    const times: number[] = [];
    for (let count = 0; count < rounds; count += 1) {
      // Said before it is done: only the second look tells of a box that is frozen wholly.
      for (let looks = 0; looks < 2; looks += (await client.workspaces.get("warm")).box === "frozen" ? 1 : 0)
        await new Promise((resolve) => setTimeout(resolve, 100));
      times.push(await timed(answer));
    }
    return times;
  };
  const started: number[] = [];
  const stopped = async (name = "cold"): Promise<number[]> => {
    const times: number[] = [];
    for (let count = 0; count < rounds; count += 1) {
      await client.workspaces.stop(name);
      await aheadReady(alcove);
      times.push(await timed(() => promptOf(client, name)));
      if (name === "cold") started.push((await client.workspaces.get(name)).startMs ?? Number.NaN);
    }
    return times;
  };
  const awake = async (work: () => Promise<unknown>, warmed = 0, pauseMs = 0): Promise<Samples> => {
    for (let count = 0; count < warmed; count += 1) await work();
    const times: number[] = [];
    for (let count = 0; count < rounds; count += 1) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      times.push(await timed(work));
    }
    return samples(times);
  };
  const list = () => client.files.list("cold", "user");
  const breakdown = {
    answerOfAnAwakeOne: await awake(list, 200),
    /** Nothing is thawed here either: what a machine costs that was at rest. */
    answerOfAnAwakeOneAfterAPause: await awake(list, 0, 600),
    answerOfAnAwakeOneWithoutSdk: await awake(() => ask("/workspaces/cold/files/user"), 200),
    terminalOfAnAwakeOne: await awake(() => promptOf(client, "cold")),
  };
  const [warm, cold] = [await frozen(), await stopped()];
  const startOfBox = samples(started);
  const answerWithoutSdk = samples(await frozen(plainly));
  const stoppedWithNoBoxAhead = samples(await stopped("alone"));
  await addOthers(client, 100);
  const crowded = { frozen: samples(await frozen()), stopped: samples(await stopped()) };
  return result("wake", "ms", warm, null, {
    stopped: samples(cold),
    breakdown: { ...breakdown, answerWithoutSdk, startOfBox, stoppedWithNoBoxAhead },
    with100Others: {
      ...crowded,
      factor: round(Math.max(crowded.frozen.p50 / samples(warm).p50, crowded.stopped.p50 / samples(cold).p50)),
    },
  });
}

async function promptOf(
  client: Awaited<ReturnType<typeof startComputer>>["plane"]["client"],
  workspace: string,
): Promise<void> {
  const { id } = await client.terminals.create(workspace);
  await new Promise<void>((resolve) => {
    const line = client.terminals.attach(workspace, id, {
      size: { cols: 80, rows: 24 },
      onOutput: () => {
        line.close();
        resolve();
      },
      onReset: () => undefined,
      onExit: () => undefined,
    });
  });
}
