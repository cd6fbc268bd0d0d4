import { run } from "../tools/project.ts";
import { startTestDocker } from "../tests/fixtures/docker.ts";

export interface Docker extends AsyncDisposable {
  /** For workspaces of its own on it. */
  readonly address: string;
  /** `docker …` against this daemon; its exit code. */
  command(...args: string[]): Promise<number>;
}

const image = "alcove-bench";

/** A dockerd of its own with one small image of this host's shell; undefined where dockerd cannot run. */
export async function startDocker(): Promise<Docker | undefined> {
  const docker = await startTestDocker();
  if (docker === undefined) return undefined;
  const { address } = docker;
  const files = "$(ldd /bin/sh /bin/true | grep -o '/[^ :)]*' | sort -u)";
  const made = await run("sh", ["-c", `tar -ch ${files} 2>/dev/null | docker -H ${address} import - ${image}`]);
  if (made.exitCode === 0) {
    return {
      address,
      command: async (...args) => (await run("docker", ["-H", address, ...args])).exitCode,
      [Symbol.asyncDispose]: () => docker[Symbol.asyncDispose](),
    };
  }
  await docker[Symbol.asyncDispose]();
  return undefined;
}

/** Starts a container and waits for its first command to end. */
export function dockerRun(docker: Docker): Promise<number> {
  return docker.command("run", "--rm", "--network", "none", image, "/bin/true");
}
