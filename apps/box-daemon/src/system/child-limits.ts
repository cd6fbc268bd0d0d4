import { writeFileSync } from "node:fs";
import { processesForPrograms } from "@alcove/contract/box/processes";
import { CodedError } from "@alcove/contract/errors";
import { ownProcessLimit, setOwnProcessLimit, setProcessLimit } from "./libc.ts";

/** Higher is ended sooner when memory runs out (proc(5), oom_score_adj); the daemon has less. */
const childOomScore = "900";

/** The limit of processes for programs of the box; null when the box has none. */
function childProcessLimit(): number | null {
  const limit = ownProcessLimit();
  return limit === null ? null : processesForPrograms(limit);
}

/**
 * Starts a program that, with all that it starts, goes before the daemon does: it is ended first when memory runs out, and it may not use the last processes of
 * the box. Without that a bomb would take the way by which people look at it. Code: `out_of_processes` where not even those are left.
 */
export function startProgram<T extends { readonly pid: number }>(start: () => T): T {
  const limit = childProcessLimit();
  // Those that are kept back are for a look at what has used up all others.
  const program = (limit === null ? null : startBelow(limit, start)) ?? unlessFull(start);
  if (program === null) throw new CodedError("out_of_processes");
  // Until now it could have raised its limit again.
  if (limit !== null) setProcessLimit(program.pid, limit);
  try {
    writeFileSync(`/proc/${program.pid}/oom_score_adj`, childOomScore);
  } catch {
    // It has ended already.
  }
  return program;
}

/** The program inherits the lower limit: set after its start, that would come too late for the first children of a bomb. */
function startBelow<T>(limit: number, start: () => T): T | null {
  const restore = setOwnProcessLimit(limit);
  try {
    return unlessFull(start);
  } finally {
    restore();
  }
}

/** Null where the box may have no more processes. */
function unlessFull<T>(start: () => T): T | null {
  try {
    return start();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return null;
    throw error;
  }
}

/** The same as a line of shell, for a program that somebody else starts; dash alone has another letter. */
export function limitsInShell(): string {
  const limit = childProcessLimit();
  return `echo ${childOomScore} > /proc/self/oom_score_adj; ${limit === null ? "" : `ulimit -u ${limit} 2> /dev/null || ulimit -p ${limit} 2> /dev/null; `}`;
}
