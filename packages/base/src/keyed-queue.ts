import { abortable } from "./abortable.ts";

export type KeyedQueue = {
  /**
   * Runs the work after all earlier work of the same key has ended, whether that went well or not; work of other keys is not waited for. An
   * abort gives up the place in the queue; work that has begun gets the signal from its caller.
   */
  run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Resolves when no work is left. */
  drain(): Promise<void>;
};

/** One line of waiting per key. A key without work takes no memory. */
export function createKeyedQueue(): KeyedQueue {
  const tails = new Map<string, Promise<void>>();

  return {
    async run(key, work, signal) {
      const before = tails.get(key);
      const done = Promise.withResolvers<void>();
      // An abandoned place still waits for the work before it, or later work would overtake that.
      const tail = Promise.all([before, done.promise]).then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
      tails.set(key, tail);
      try {
        if (before) await abortable(before, signal);
        signal?.throwIfAborted();
        return await work();
      } finally {
        done.resolve();
      }
    },
    async drain() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}
