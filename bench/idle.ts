import { runTrue, aheadReady, startComputer, warmUp } from "./computer.ts";
import { processesOf, type Process, watchProcessors } from "./processes.ts";
import { type BenchResult, round, samples, timed } from "./report.ts";

const mebibyte = 2 ** 20;

const count = 200;
const atOnce = 20;
const restMs = 10_000;

/**
 * Two hundred workspaces that do nothing: MiB of private memory of each one's processes (the first process and the daemon), how long it took until all of their daemons had
 * answered, and what the server's own processes hold.
 */
export async function benchIdle(): Promise<BenchResult> {
  await using alcove = await startComputer();
  const { client } = alcove.plane;
  await warmUp(client);
  await aheadReady(alcove);
  const alone = await processesOf([alcove.data]);
  const ids: string[] = [];
  const inTurns = async (work: (index: number) => Promise<void>): Promise<void> => {
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  };
  const processors = await watchProcessors();
  const ownBefore = process.cpuUsage();
  const startedMs = await timed(() =>
    inTurns(async () => {
      const { id } = await client.workspaces.create();
      ids.push(id);
      await client.workspaces.start(id);
    }),
  );
  const machine = await processors();
  const own = process.cpuUsage(ownBefore);
  const processorMs = spentOnEach(alone, await processesOf([alcove.data, ...ids]), (own.user + own.system) / 1_000);
  // Each has been used: what that loads is counted.
  await inTurns((index) => runTrue(client, ids[index] ?? ""));
  const used = await processesOf([alcove.data, ...ids]);
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const processes = await processesOf([alcove.data, ...ids]);
  const sum = (pattern: RegExp, among = processes) =>
    among.filter(({ command }) => pattern.test(command)).reduce((total, { bytes }) => total + bytes, 0) / mebibyte;
  const each = (pattern: RegExp) =>
    processes.filter(({ command }) => pattern.test(command)).map(({ bytes }) => bytes / mebibyte);
  const firsts = samples(each(/init\/alcove-init /));
  const daemons = samples(each(/alcove-daemon (serve|await)/));
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
    /** Of the start alone: milliseconds of one processor for each workspace, and what the machine's processors did meanwhile. */
    startOfEach: { processorMs, machine },
    /** Milliseconds of one processor in each second in which nobody does anything, of all workspaces together and of the server. */
    atRest: perSecond(used, processes),
    server: server(processes),
    serverWithoutWorkspaces: server(alone),
  };
}

const total = (among: readonly Process[], pattern: RegExp, of: "ownMs" | "childrenMs") =>
  among.filter(({ command }) => pattern.test(command)).reduce((sum, process) => sum + process[of], 0);

function perSecond(before: readonly Process[], after: readonly Process[]) {
  const spent = (pattern: RegExp) =>
    round((total(after, pattern, "ownMs") - total(before, pattern, "ownMs")) / (restMs / 1_000));
  return {
    daemons: spent(/alcove-daemon (serve|await)/),
    waysOut: spent(/slirp4netns/),
    controlPlane: spent(/control-plane\/src\/main/),
    host: spent(/host\/src\/main/),
    postgres: spent(/postgres/),
  };
}

/** Milliseconds of processor time for each workspace, by who spent them. The kernel's own threads are in none of them. */
function spentOnEach(before: readonly Process[], after: readonly Process[], benchmarkMs: number) {
  const spent = (pattern: RegExp, of: "ownMs" | "childrenMs" = "ownMs") =>
    round((total(after, pattern, of) - total(before, pattern, of)) / count);
  return {
    controlPlane: spent(/control-plane\/src\/main/),
    postgres: spent(/postgres/),
    host: spent(/host\/src\/main/),
    /** crun, nft and what else has ended since. */
    programsOfHost: spent(/host\/src\/main/, "childrenMs"),
    firstProcesses: spent(/init\/alcove-init /),
    daemons: spent(/alcove-daemon (serve|await)/),
    waysOut: spent(/slirp4netns/),
    benchmark: round(benchmarkMs / count),
  };
}
