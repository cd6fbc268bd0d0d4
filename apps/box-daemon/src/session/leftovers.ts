import { readdirSync, readFileSync } from "node:fs";

/** Variable in the environment of everything that an agent starts: its leftovers are found by it. */
export const runMark = "ALCOVE_RUN";

/** Pids of all processes that the run's agent started, in whatever process group they are now. */
export function findLeftovers(run: string): number[] {
  const mark = `\0${runMark}=${run}\0`;
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => `\0${readEnviron(name)}`.includes(mark))
    .map(Number);
}

function readEnviron(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    // It has ended meanwhile, or belongs to another user.
    return "";
  }
}

/** Sends the signal to the process, or to the group when negative; one that has ended already is no mistake. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Kills all leftovers of the run, again and again until none is left: a process may have been forking. */
export async function killLeftovers(run: string): Promise<void> {
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    const pids = findLeftovers(run);
    if (pids.length === 0) return;
    for (const pid of pids) signalProcess(pid, "SIGKILL");
    await Bun.sleep(25);
  }
}
