import { expect, test } from "vitest";
import type { Clock } from "./clock.ts";
import { retry } from "./retry.ts";

function recordingClock(): Clock & { pauses: number[] } {
  const pauses: number[] = [];
  return { pauses, now: () => new Date(0), sleep: async (ms) => void pauses.push(ms) };
}

const options = { firstMs: 100, longestMs: 300, random: () => 0.5 };

test("pauses double up to the longest until the work succeeds", async () => {
  const clock = recordingClock();
  const work = async (attempt: number) => {
    if (attempt < 5) throw new Error("not yet");
    return attempt;
  };
  expect(await retry(work, { ...options, clock })).toBe(5);
  expect(clock.pauses).toEqual([100, 200, 300, 300]);
});

test("gives the last error when the attempts are used up", async () => {
  const work = (attempt: number) => Promise.reject(new Error(`failed ${attempt}`));
  await expect(retry(work, { ...options, attempts: 3, clock: recordingClock() })).rejects.toThrow("failed 3");
});

test("stops at an error that is not worth another attempt, and at an abort", async () => {
  const clock = recordingClock();
  const failing = () => Promise.reject(new Error("final"));
  await expect(retry(failing, { ...options, clock, worthIt: () => false })).rejects.toThrow("final");
  await expect(retry(failing, options, AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
  expect(clock.pauses).toEqual([]);
});
