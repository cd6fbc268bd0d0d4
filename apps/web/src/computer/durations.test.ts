import { expect, test } from "vitest";
import { durationWords } from "./durations.ts";

test("a time is said in its two largest units", () => {
  expect(durationWords(30_000)).toBe("30 seconds");
  expect(durationWords(60_000)).toBe("1 minute");
  expect(durationWords(90 * 60_000)).toBe("1 hour 30 minutes");
  expect(durationWords(30 * 86_400_000)).toBe("30 days");
});
