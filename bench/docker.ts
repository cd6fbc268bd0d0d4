import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { run } from "../tools/project.ts";

export interface Docker extends AsyncDisposable {
  /** `docker …` against this daemon; its exit code. */
  command(...args: string[]): Promise<number>;
}

const image = "alcove-bench";

/** A dockerd of its own with one small image of this host's shell; undefined where dockerd cannot run. */
export async function startDocker(): Promise<Docker | undefined> {
  if (process.getuid?.() !== 0 || !(await exists("/usr/sbin/dockerd"))) return undefined;
  const folder = await mkdtemp(path.join(tmpdir(), "alcove-docker-"));
  const socket = `unix://${folder}/docker.sock`;
  const flags = ["--data-root", `${folder}/data`, "--exec-root", `${folder}/exec`, "-p", `${folder}/pid`, "-H", socket];
  const daemon = spawn("/usr/sbin/dockerd", [...flags, "--bridge=none", "--iptables=false", "--ip6tables=false"], {
    stdio: "ignore",
  });
  const command = async (...args: string[]) => (await run("docker", ["-H", socket, ...args])).exitCode;
  const stop = async () => {
    await end(daemon);
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; (await command("version")) !== 0; tries += 1) {
    if (daemon.exitCode !== null || tries > 400) {
      await stop();
      return undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const files = "$(ldd /bin/sh /bin/true | grep -o '/[^ :)]*' | sort -u)";
  const made = await run("sh", ["-c", `tar -ch ${files} 2>/dev/null | docker -H ${socket} import - ${image}`]);
  if (made.exitCode === 0) return { command, [Symbol.asyncDispose]: stop };
  await stop();
  return undefined;
}

/** Starts a container and waits for its first command to end. */
export function dockerRun(docker: Docker): Promise<number> {
  return docker.command("run", "--rm", "--network", "none", image, "/bin/true");
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
