import type { BoxHappening, BoxHappeningBody } from "@alcove/contract/host";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkspaceId } from "@alcove/contract/ids";

const longest = 1_000;

export interface Happenings {
  add(workspace: WorkspaceId, epoch: number, body: BoxHappeningBody): void;
  /** What came after the cursor, oldest first, then what comes, until the signal aborts. */
  follow(after: number, signal: AbortSignal): AsyncGenerator<BoxHappening, void, undefined>;
}

/**
 * What happened to boxes, the newest thousand, in memory: the control plane stores what it reads. Cursors are microseconds of the clock, or one more than
 * the one before: those of an earlier host process are always smaller.
 */
export function createHappenings(now: () => number = Date.now): Happenings {
  const kept: BoxHappening[] = [];
  const waiting = new Set<() => void>();
  let cursor = 0;

  return {
    add(workspace, epoch, body) {
      cursor = Math.max(cursor + 1, now() * 1_000);
      kept.push({ cursor, workspace, epoch, at: new Date(now()).toISOString(), ...body });
      if (kept.length > longest) kept.shift();
      for (const wake of waiting) wake();
    },
    async *follow(after, signal) {
      let at = after;
      while (!signal.aborted) {
        const next = kept.find((happening) => happening.cursor > at);
        if (next !== undefined) {
          at = next.cursor;
          yield next;
          continue;
        }
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          waiting.add(wake);
          signal.addEventListener("abort", wake);
        });
      }
    },
  };
}

const pingMs = 15_000;

/** A line of JSON for each; an empty one now and then, by which a broken line is noticed. */
export async function* happeningLines(
  happenings: Happenings,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  yield "\n";
  const ended = new AbortController();
  const follower = happenings.follow(after, AbortSignal.any([signal, ended.signal]));
  try {
    let next = follower.next();
    while (!signal.aborted) {
      const timer = new AbortController();
      const pinged = sleep(pingMs, null, { signal: timer.signal }).catch(() => null);
      const first = await Promise.race([next, pinged]);
      timer.abort();
      if (first === null) {
        yield "\n";
        continue;
      }
      if (first.done) return;
      yield `${JSON.stringify(first.value)}\n`;
      next = follower.next();
    }
  } finally {
    ended.abort();
  }
}
