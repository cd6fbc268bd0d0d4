import { readdirSync, readFileSync } from "node:fs";
import { check, libc } from "./libc.ts";
import { isDead } from "./processes.ts";

const setChildSubreaper = 36;
const noHang = 1;

/**
 * Takes in what the processes started here leave behind (prctl(2), PR_SET_CHILD_SUBREAPER). In a container the first process often looks after nobody, and the
 * dead of every box would stay in the process table.
 */
export function adoptOrphans(): void {
  check("prctl", libc.prctl(setChildSubreaper, 1n, 0n, 0n, 0n));
}

/** Finds the dead among the adopted; a child of our own is left to Bun, which waits for each of them itself within the pause between two calls. */
export function createReaper(): () => void {
  let before = new Set<number>();
  return () => {
    const dead = new Set(deadChildren());
    for (const pid of dead) if (before.has(pid)) libc.waitpid(pid, null, noHang);
    before = dead;
  };
}

function deadChildren(): number[] {
  return readdirSync("/proc/self/task").flatMap((thread) => {
    return childrenOf(thread).filter(isDead);
  });
}

function childrenOf(thread: string): number[] {
  try {
    return readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    // The thread has ended meanwhile; its children are another one's now, and seen the next time.
    return [];
  }
}
