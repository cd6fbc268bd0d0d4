import { type Clock, systemClock } from "./clock.ts";

export type Backoff = {
  /** How often the work is tried in all; without it, until the signal aborts. */
  attempts?: number;
  firstMs: number;
  longestMs: number;
  /** False ends the retrying with this error. */
  worthIt?: (error: unknown) => boolean;
  clock?: Clock;
  random?: () => number;
};

/**
 * Does the work until it succeeds, with pauses that double from `firstMs` to `longestMs` and vary by a quarter, so that many who wait for the
 * same thing do not come back at once. Gives the last error.
 */
export async function retry<T>(
  work: (attempt: number) => Promise<T>,
  { attempts = Infinity, firstMs, longestMs, worthIt = () => true, clock = systemClock, random = Math.random }: Backoff,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= attempts || signal?.aborted || !worthIt(error)) throw error;
    }
    const pause = Math.min(longestMs, firstMs * 2 ** (attempt - 1));
    await clock.sleep(pause * (0.75 + random() / 2), signal);
  }
}
