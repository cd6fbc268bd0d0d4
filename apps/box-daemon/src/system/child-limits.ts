import { writeFileSync } from "node:fs";
import { processesForPrograms } from "@alcove/contract/box/processes";
import { ownProcessLimit, setProcessLimit } from "./libc.ts";

/** Higher is ended sooner when memory runs out (proc(5), oom_score_adj); the daemon has less. */
const childOomScore = "900";

/** The limit of processes for programs of the box; null when the box has none. */
function childProcessLimit(): number | null {
  const limit = ownProcessLimit();
  return limit === null ? null : processesForPrograms(limit);
}

/**
 * Makes a program that was just started, and all that it starts, go before the daemon does: it is ended first when memory runs out, and it may not use the last
 * processes of the box. Without that a bomb would take the way by which people look at it.
 */
export function limitChild(pid: number): void {
  const limit = childProcessLimit();
  if (limit !== null) setProcessLimit(pid, limit);
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, childOomScore);
  } catch {
    // It has ended already.
  }
}

/** The same as a line of shell, for a program that somebody else starts. */
export function limitsInShell(): string {
  const limit = childProcessLimit();
  return `echo ${childOomScore} > /proc/self/oom_score_adj; ${limit === null ? "" : `ulimit -u ${limit} 2> /dev/null; `}`;
}
