import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "../tests/fixtures/free-port.ts";
import { projectRoot } from "../tools/project.ts";
import { type BenchResult, result } from "./report.ts";

const rounds = 4;

/** `npm start` until `/healthz` answers: the second and later starts, in ms. The first, which installs the build, is told apart. */
export async function benchStart(): Promise<BenchResult> {
  const folder = await mkdtemp(path.join(tmpdir(), "alcove-start-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const values: number[] = [];
  try {
    for (let round = 0; round <= rounds; round += 1) values.push(await startOnce(folder, port));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const [first = Number.NaN, ...later] = values;
  return result("start", "ms", later, null, { firstStart: Math.round(first) });
}

async function startOnce(folder: string, port: number): Promise<number> {
  const begun = performance.now();
  const env = { ...process.env, ALCOVE_DATA: path.join(folder, "data"), ALCOVE_PORT: String(port), HOME: folder };
  const child = spawn("npm", ["start"], { cwd: projectRoot, env, detached: true, stdio: "ignore" });
  const exited = once(child, "exit");
  while (!(await isHealthy(port))) {
    if (child.exitCode !== null) throw new Error("npm start ended before it served");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const took = performance.now() - begun;
  if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
  await exited;
  return took;
}

async function isHealthy(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/healthz`).then(
    (response) => response.ok,
    () => false,
  );
}
