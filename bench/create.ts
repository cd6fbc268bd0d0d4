import { startTestAlcove } from "../tests/fixtures/alcove.ts";
import { dockerRun, startDocker } from "./docker.ts";
import { type BenchResult, result, timed } from "./report.ts";

const rounds = 15;

/** From the request for a new workspace to the end of its first command, over the API; beside `docker run` of a shell. */
export async function benchCreate(): Promise<BenchResult> {
  await using alcove = await startTestAlcove();
  await using docker = (await startDocker()) ?? null;
  const { client } = alcove.plane;
  const create = async () => {
    const { id } = await client.workspaces.create();
    const first = await client.workspaces.execAndWait(id, { command: ["/bin/true"] });
    if (first.exitCode !== 0) throw new Error(`The first command failed: ${first.stderr}`);
    return id;
  };
  const remove = (id: string) => client.workspaces.delete(id);
  await remove(await create());
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    let made = "";
    ours.push(await timed(async () => (made = await create())));
    await remove(made);
    if (docker) theirs.push(await timed(() => dockerRun(docker)));
  }
  return result("create", "ms", ours, { name: "docker run", values: theirs });
}
