import { readdirSync, readFileSync } from "node:fs";

/**
 * A variable that a run or a terminal puts into the environment of its processes: whatever they start inherits it, so that all of it can be found
 * later, in whatever process group it is by then.
 */
export type Mark = { readonly ALCOVE_RUN: string } | { readonly ALCOVE_TERMINAL: string };

const roundMs = 25;

/** Kills all processes that bear the mark, again and again until none is left: one may have been forking. */
export async function killMarked(mark: Mark): Promise<void> {
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    const pids = findMarked(mark);
    if (pids.length === 0) return;
    for (const pid of pids) signalProcess(pid, "SIGKILL");
    await Bun.sleep(roundMs);
  }
}

function findMarked(mark: Mark): number[] {
  const assignment = Object.entries(mark)
    .map(([name, value]) => `\0${name}=${value}\0`)
    .join("");
  return readdirSync("/proc")
    .filter((entry) => /^[0-9]+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => `\0${readEnviron(pid)}`.includes(assignment))
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
