import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that cannot be mistaken for a later one with the same pid, not even after the machine was started again. */
export type ProcessMark = { pid: number; startTicks: string; boot: string };

let bootId: string | undefined;

/** The kernel's id of the time since the machine was started. */
export function currentBoot(): string {
  bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return bootId;
}

type Stat = { state: string; startTicks: string };

/** Of /proc/<pid>/stat (proc(5)); undefined when there is no such process. The name may hold spaces and brackets: counting starts after its last bracket. */
function readStat(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "X", startTicks: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** The mark of a process that runs now; undefined when it does not. */
export function markProcess(pid: number): ProcessMark | undefined {
  const stat = readStat(pid);
  if (stat === undefined || stat.state === "Z" || stat.state === "X") return undefined;
  return { pid, startTicks: stat.startTicks, boot: currentBoot() };
}

/** True while exactly this process runs; a zombie does not. */
export function isAlive(mark: ProcessMark): boolean {
  return mark.boot === currentBoot() && markProcess(mark.pid)?.startTicks === mark.startTicks;
}

/** Sends the signal when exactly this process still runs. */
export function signalProcess(mark: ProcessMark, signal: NodeJS.Signals): void {
  if (!isAlive(mark)) return;
  try {
    process.kill(mark.pid, signal);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return;
    throw error;
  }
}

/** Resolves true when the process has ended, false when it has not after so many milliseconds. */
export async function waitForEnd(mark: ProcessMark, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pause = 1; isAlive(mark); pause = Math.min(pause * 2, 20)) {
    if (performance.now() >= deadline) return false;
    await sleep(pause);
  }
  return true;
}

/** Running processes that were started with this variable, as far as this process may look into them. */
export function findByEnvironment(variable: string, value: string): ProcessMark[] {
  const entry = `${variable}=${value}`;
  return readdirSync("/proc").flatMap((name) => {
    if (!/^[0-9]+$/.test(name)) return [];
    try {
      if (!readFileSync(`/proc/${name}/environ`, "utf8").split("\0").includes(entry)) return [];
    } catch {
      // It has ended meanwhile, or it is another user's.
      return [];
    }
    const mark = markProcess(Number(name));
    return mark === undefined ? [] : [mark];
  });
}

/** True for a process that has ended and that nobody has waited for. */
export function isDead(pid: number): boolean {
  return readStat(pid)?.state === "Z";
}
