import { spawn } from "node:child_process";
import { chmod, open, rename, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, markOf, type ProcessMark } from "./start-lock.ts";

export type Launch = {
  file: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  owner: { uid: number; gid: number } | undefined;
  cwd: string;
  logFile: string;
};

export type Child = {
  mark: ProcessMark;
  /** What the process says about its start, on descriptor 3; ends with the process. */
  readiness: Readable;
  ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
};

const largestLogBytes = 20_000_000;

/**
 * Starts a process that leads a group and a session of its own, so that a Ctrl-C in the terminal reaches only the start, which then ends its
 * processes in order. What it writes goes to its log file and not through this process, so it can outlive it.
 */
export async function launch({ file, args, env, owner, cwd, logFile }: Launch): Promise<Child> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > largestLogBytes) await rename(logFile, `${logFile}.1`);
  await using log = await open(logFile, "a", 0o640);
  await chmod(logFile, 0o640);
  const child = spawn(file, args, { ...owner, cwd, env, detached: true, stdio: ["ignore", log.fd, log.fd, "pipe"] });
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  const mark = child.pid === undefined ? null : await markOf(child.pid);
  const readiness = child.stdio[3];
  if (!(readiness instanceof Readable)) throw new Error("The process was started without its descriptor 3");
  return { mark: mark ?? { pid: child.pid ?? 0, startedAt: "" }, readiness, ended };
}

/** Asks the process to end, waits, then kills its group. Resolves when it is gone. */
export async function endProcess(mark: ProcessMark, graceMs: number): Promise<void> {
  if (!(await signal(mark, "SIGTERM"))) return;
  const deadline = performance.now() + graceMs;
  while (await isAlive(mark)) {
    if (performance.now() > deadline) await signal(mark, "SIGKILL");
    await delay(20);
  }
}

/** False when the process is gone. */
async function signal(mark: ProcessMark, name: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(mark))) return false;
  try {
    return process.kill(name === "SIGKILL" ? -mark.pid : mark.pid, name);
  } catch {
    // It ended between the look and the signal.
    return false;
  }
}
