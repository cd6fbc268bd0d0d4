import { addOthers, createAndRun, aheadReady, startComputer, warmUp } from "./computer.ts";
import { dockerRun, startDocker } from "./docker.ts";
import { type BenchResult, result, round, samples, timed } from "./report.ts";

const rounds = 15;

/** From the request for a new workspace to the end of its first command, over the API; beside `docker run` of a shell and a workspace on the Docker runtime. Then again with 100 other boxes. */
export async function benchCreate(): Promise<BenchResult> {
  await using docker = (await startDocker()) ?? null;
  await using alcove = await startComputer(docker ? { docker: docker.address } : {});
  const { client } = alcove.plane;
  const stored: number[] = [];
  const measure = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let count = 0; count < rounds; count += 1) {
      await aheadReady(alcove);
      let made = "";
      times.push(await timed(async () => (made = await createAndRun(client))));
      stored.push((await client.workspaces.get(made)).startMs ?? Number.NaN);
      await client.workspaces.delete(made);
    }
    return times;
  };
  await warmUp(client);
  const ours = await measure();
  const theirs: number[] = [];
  for (let count = 0; docker && count < rounds; count += 1) theirs.push(await timed(() => dockerRun(docker)));
  const onDocker: number[] = [];
  for (let count = 0; docker && count < rounds; count += 1) {
    let made = "";
    onDocker.push(await timed(async () => (made = await createAndRun(client, { runtime: "docker" }))));
    await client.workspaces.delete(made);
  }
  const breakdown = { claim: samples(stored) };
  await addOthers(client, 100);
  const crowded = samples(await measure());
  const more = {
    breakdown,
    ...(onDocker.length > 0 && { onTheDockerRuntime: samples(onDocker) }),
    with100Others: { ...crowded, factor: round(crowded.p50 / samples(ours).p50) },
  };
  return result("create", "ms", ours, { name: "docker run", values: theirs }, more);
}
