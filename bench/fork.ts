import { addOthers, aheadReady, runTrue, startComputer, warmUp } from "./computer.ts";
import { type BenchResult, result, round, samples, timed } from "./report.ts";

const rounds = 8;
/** 50,000 files, one GiB in all. */
const fill = `
  perl -e 'for my $d (1 .. 500) { mkdir "d$d"; for my $f (1 .. 100) { open(my $h, ">", "d$d/f$f"); print $h ("x" x 21475); } }'
  sync`;

/** A fork of a running workspace of 1 GiB in 50,000 files, to the end of the first command in it; its snapshot alone; and the list of 50 files that changed. */
export async function benchFork(): Promise<BenchResult> {
  await using alcove = await startComputer();
  const { client } = alcove.plane;
  await warmUp(client);
  await client.workspaces.create({ name: "large" });
  await runTrue(client, "large");
  const filled = await client.workspaces.execAndWait("large", { command: ["sh", "-c", fill] });
  if (filled.exitCode !== 0) throw new Error(filled.stderr);

  const snapshotTimes: number[] = [];
  const listTimes: number[] = [];
  const asked: number[] = [];
  const started: number[] = [];
  const measure = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let count = 0; count < rounds; count += 1) {
      let made = "";
      await aheadReady(alcove);
      times.push(
        await timed(async () => {
          asked.push(await timed(async () => (made = (await client.workspaces.fork("large")).id)));
          await runTrue(client, made);
        }),
      );
      started.push((await client.workspaces.get(made)).startMs ?? Number.NaN);
      await client.workspaces.delete(made);
      const change = `for n in $(seq 50); do echo ${count} > d$n/f1; done; sync`;
      const before = await client.workspaces.takeSnapshot("large", { name: `before ${count}` });
      await client.workspaces.execAndWait("large", { command: ["sh", "-c", change] });
      let after = "";
      snapshotTimes.push(await timed(async () => (after = (await client.workspaces.takeSnapshot("large", {})).id)));
      listTimes.push(
        await timed(async () => {
          const { items } = await client.workspaces.changes("large", { from: before.id, to: after });
          if (items.length !== 50) throw new Error(`${items.length} files changed, not 50`);
        }),
      );
    }
    return times;
  };
  const ours = await measure();
  const breakdown = {
    snapshot: samples(snapshotTimes),
    /** The request for the fork, with its snapshot; then the start of its box until its daemon answers. */
    request: samples(asked),
    start: samples(started),
    listOf50: samples(listTimes),
  };
  await addOthers(client, 100);
  const crowded = samples(await measure());
  return result("fork", "ms", ours, null, {
    breakdown,
    with100Others: { ...crowded, factor: round(crowded.p50 / samples(ours).p50) },
  });
}
