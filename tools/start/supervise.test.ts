import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { Child } from "./child.ts";
import { supervise } from "./supervise.ts";

/** A process that ends at once. */
const shortLived = (): Child => ({
  mark: { pid: 1, startedAt: "0" },
  readiness: Readable.from([]),
  ended: Promise.resolve({ exitCode: 1, signal: null }),
});

test("a process that keeps dying is started again, each time after a longer pause, until the signal aborts", async () => {
  const controller = new AbortController();
  const pauses: number[] = [];
  await supervise(shortLived(), {
    start: async () => shortLived(),
    signal: controller.signal,
    onDeath(pauseMs) {
      pauses.push(pauseMs);
      if (pauses.length === 2) controller.abort();
    },
  });
  expect(pauses).toEqual([1000, 2000]);
});

test("the end of the signal is not kept waiting by a process that goes on", async () => {
  const endless = { ...shortLived(), ended: new Promise<never>(() => {}) };
  const start = async () => endless;
  const supervision = supervise(endless, { start, onDeath: () => {}, signal: AbortSignal.timeout(10) });
  await expect(supervision).resolves.toBeUndefined();
});
