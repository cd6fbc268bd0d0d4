import { addOthers, runTrue, startComputer, warmUp } from "./computer.ts";
import { type BenchResult, result, round, samples, timed } from "./report.ts";

const rounds = 12;

/** From a request to a frozen workspace to its first answer; and from one to a stopped workspace to the prompt of a terminal. */
export async function benchWake(): Promise<BenchResult> {
  await using alcove = await startComputer({ spareBoxes: 0, env: { ALCOVE_FREEZE_AFTER_MS: "1000" } });
  const { client } = alcove.plane;
  await warmUp(client);
  await client.workspaces.create({ name: "cold", lifetime: { freezeAfterMs: null } });
  await client.workspaces.create({ name: "warm" });
  await runTrue(client, "cold");
  await runTrue(client, "warm");

  const frozen = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let count = 0; count < rounds; count += 1) {
      // Said before it is done: only the second look tells of a box that is frozen wholly.
      for (let looks = 0; looks < 2; looks += (await client.workspaces.get("warm")).box === "frozen" ? 1 : 0)
        await new Promise((resolve) => setTimeout(resolve, 100));
      times.push(await timed(() => client.files.list("warm", "user")));
    }
    return times;
  };
  const started: number[] = [];
  const stopped = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let count = 0; count < rounds; count += 1) {
      await client.workspaces.stop("cold");
      times.push(await timed(() => promptOf(client, "cold")));
      started.push((await client.workspaces.get("cold")).startMs ?? Number.NaN);
    }
    return times;
  };
  for (let count = 0; count < 200; count += 1) await client.files.list("cold", "user");
  const opened: number[] = [];
  const answered: number[] = [];
  for (let count = 0; count < rounds; count += 1) answered.push(await timed(() => client.files.list("cold", "user")));

  for (let count = 0; count < rounds; count += 1) opened.push(await timed(() => promptOf(client, "cold")));
  const [warm, cold] = [await frozen(), await stopped()];
  const startOfBox = samples(started);
  await addOthers(client, 100);
  const crowded = { frozen: samples(await frozen()), stopped: samples(await stopped()) };
  return result("wake", "ms", warm, null, {
    stopped: samples(cold),
    breakdown: { answerOfAnAwakeOne: samples(answered), terminalOfAnAwakeOne: samples(opened), startOfBox },
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
