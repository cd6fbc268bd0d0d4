import { readdir, readFile, readlink } from "node:fs/promises";
import { runTrue, sparesReady, startComputer, warmUp } from "./computer.ts";
import { type BenchResult, round, samples, timed } from "./report.ts";

const mebibyte = 2 ** 20;

const count = 200;
const atOnce = 20;

/**
 * Two hundred workspaces that do nothing: MiB of private memory of each one's processes (the first process and the daemon), how long it took until all of their daemons had
 * answered, and what the server's own processes hold.
 */
export async function benchIdle(): Promise<BenchResult> {
  await using alcove = await startComputer();
  const { client } = alcove.plane;
  await warmUp(client);
  await sparesReady(alcove);
  const alone = await processesOf([alcove.data]);
  const ids: string[] = [];
  const inTurns = async (work: (index: number) => Promise<void>): Promise<void> => {
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  };
  const startedMs = await timed(() =>
    inTurns(async () => {
      const { id } = await client.workspaces.create();
      ids.push(id);
      await client.workspaces.start(id);
    }),
  );
  // Each has been used: what that loads is counted.
  await inTurns((index) => runTrue(client, ids[index] ?? ""));
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const processes = await processesOf([alcove.data, ...ids]);
  const sum = (pattern: RegExp, among = processes) =>
    among.filter(({ command }) => pattern.test(command)).reduce((total, { bytes }) => total + bytes, 0) / mebibyte;
  const each = (pattern: RegExp) =>
    processes.filter(({ command }) => pattern.test(command)).map(({ bytes }) => bytes / mebibyte);
  const firsts = samples(each(/init\/alcove-init /));
  const daemons = samples(each(/alcove-daemon serve/));
  const ways = samples(each(/slirp4netns/));
  const server = (among: typeof processes) => ({
    controlPlane: round(sum(/control-plane\/src\/main/, among)),
    host: round(sum(/host\/src\/main/, among)),
    postgres: round(sum(/postgres/, among)),
  });
  return {
    name: "idle",
    unit: "MiB",
    n: count,
    p50: round(firsts.p50 + daemons.p50),
    p95: round(firsts.p95 + daemons.p95),
    breakdown: { firstProcess: firsts, daemon: daemons, wayOut: ways },
    startedWithinMs: round(startedMs),
    server: server(processes),
    serverWithoutWorkspaces: server(alone),
  };
}

/** Every process that one of the marks stands for in its command, environment or folder, with its private memory in bytes. */
async function processesOf(marks: readonly string[]): Promise<{ command: string; bytes: number }[]> {
  const found: { command: string; bytes: number }[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
      const about = `${command} ${await readFile(`/proc/${pid}/environ`, "utf8")} ${await readlink(`/proc/${pid}/cwd`)}`;
      if (!marks.some((mark) => about.includes(mark))) continue;
      const memory = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
      const kilobytes = [...memory.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map((match) =>
        Number(match[1]),
      );
      found.push({ command, bytes: kilobytes.reduce((total, each) => total + each, 0) * 1024 });
    } catch (error) {
      // A process may end while it is looked at.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
  return found;
}
