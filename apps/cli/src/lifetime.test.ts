import { expect, test } from "vitest";
import { changeLifetime, describeLifetime, readDuration } from "./lifetime.ts";

test("times are read as people write them", () => {
  expect(["90s", "30m", "1.5h", "7d", "1h30m"].map(readDuration)).toEqual([
    90_000, 1_800_000, 5_400_000, 604_800_000, 5_400_000,
  ]);
  for (const wrong of ["", "5", "m", "-5m", "5 m", "5w"]) expect(() => readDuration(wrong)).toThrow("as in 90s");
});

test("what is not named stays as it is, and the server's way can be had back", () => {
  const before = { freezeAfterMs: 60_000, stopAfterMs: null, keepAlive: true };
  expect(changeLifetime(before, { stopAfter: 300_000 })).toEqual({ ...before, stopAfterMs: 300_000 });
  expect(changeLifetime(before, { freezeAfter: "default", deleteAfter: "never", keepAlive: false })).toEqual({
    stopAfterMs: null,
    deleteAfterMs: null,
    keepAlive: false,
  });
});

test("the day on which a workspace is deleted is named", () => {
  const lifetime = { freezeAfterMs: 90_000, stopAfterMs: null, deleteAfterMs: 86_400_000 };
  expect(describeLifetime(lifetime, new Date("2026-11-20T10:00:00Z"))).toBe(
    "freeze after  1m30s\nstop after    never\ndelete after  1d, on 2026-11-21T10:00:00.000Z\nkeep alive    no\n",
  );
  expect(describeLifetime({ keepAlive: true }, new Date(0))).toContain("freeze after  never\n");
});
