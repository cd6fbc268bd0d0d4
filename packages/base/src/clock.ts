import { setTimeout as delay } from "node:timers/promises";

/** Where time comes from, so that a test can hold it. */
export type Clock = {
  now(): Date;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};
