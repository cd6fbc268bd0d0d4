import { setTimeout as delay } from "node:timers/promises";
import { abortable } from "../../packages/base/src/abortable.ts";
import type { Child } from "./child.ts";

const firstPauseMs = 500;
const longestPauseMs = 30_000;
const steadyAfterMs = 60_000;

/**
 * Keeps a process going until the signal aborts: whenever it ends, a new one is started, at once after a long life and ever later when it keeps
 * dying. `onDeath` gets the length of the pause in milliseconds.
 */
export async function supervise(
  first: Child,
  { start, onDeath, signal }: { start: () => Promise<Child>; onDeath: (pauseMs: number) => void; signal: AbortSignal },
): Promise<void> {
  let pauseMs = firstPauseMs;
  let child: Child | null = first;
  try {
    for (;;) {
      const begun = performance.now();
      if (child) await abortable(child.ended, signal);
      pauseMs = performance.now() - begun > steadyAfterMs ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
      onDeath(pauseMs);
      await delay(pauseMs, undefined, { signal });
      child = await start().catch(() => null);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
