import { addOthers, createAndRun, aheadReady, startComputer, warmUp } from "./computer.ts";
import { type BenchResult, result, round, samples, timed } from "./report.ts";

const atOnce = 20;
const rounds = 3;

/** Twenty workspaces asked for at once, each from the request to the end of its first command. */
export async function benchBurst(): Promise<BenchResult> {
  await using alcove = await startComputer();
  const { client } = alcove.plane;
  const measure = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let count = 0; count < rounds; count += 1) {
      await aheadReady(alcove);
      const made: string[] = [];
      const one = async () => times.push(await timed(async () => made.push(await createAndRun(client))));
      await Promise.all(Array.from({ length: atOnce }, one));
      await Promise.all(made.map((id) => client.workspaces.delete(id)));
    }
    return times;
  };
  await warmUp(client);
  // Many at once are other code than one after the other.
  await measure();
  const ours = await measure();
  await addOthers(client, 100);
  const crowded = samples(await measure());
  return result("burst", "ms", ours, null, {
    atOnce,
    with100Others: { ...crowded, factor: round(crowded.p95 / samples(ours).p95) },
  });
}
