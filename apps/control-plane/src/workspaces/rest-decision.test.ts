import { expect, test } from "vitest";
import { dueRest, inWords, restartDelayMs, type Restable } from "./rest-decision.ts";

const minute = 60_000;
const now = Date.parse("2026-11-21T12:00:00Z");
const defaults = { freezeAfterMs: minute, stopAfterMs: 30 * minute };
const idle = (minutes: number, more: Partial<Restable> = {}): Restable => ({
  box: "running",
  lifetime: {},
  createdAt: new Date(now - 100 * minute),
  activeAt: new Date(now - minutes * minute),
  ...more,
});

test("an idle workspace is frozen, and stopped when it stays idle", () => {
  expect(dueRest(idle(0.5), defaults, now)).toBe("stay");
  expect(dueRest(idle(1), defaults, now)).toBe("freeze");
  expect(dueRest(idle(1, { box: "frozen" }), defaults, now)).toBe("stay");
  expect(dueRest(idle(30, { box: "frozen" }), defaults, now)).toBe("stop");
  expect(dueRest(idle(90, { box: "none" }), defaults, now)).toBe("stay");
});

test("its own times count before the server's, and null is never", () => {
  expect(dueRest(idle(2, { lifetime: { freezeAfterMs: 5 * minute } }), defaults, now)).toBe("stay");
  expect(dueRest(idle(90, { lifetime: { freezeAfterMs: null, stopAfterMs: null } }), defaults, now)).toBe("stay");
  expect(dueRest(idle(90, { lifetime: { keepAlive: true } }), defaults, now)).toBe("stay");
});

test("one whose life is over is deleted, awake or not", () => {
  const lifetime = { deleteAfterMs: 100 * minute, keepAlive: true };
  expect(dueRest(idle(0, { lifetime }), defaults, now)).toBe("delete");
  expect(dueRest(idle(0, { lifetime, box: "none" }), defaults, now - 1)).toBe("stay");
});

test("a box that died is started again at once, then later and later, and at last left alone", () => {
  expect([1, 2, 3, 4].map(restartDelayMs)).toEqual([0, 10_000, 20_000, 40_000]);
  expect(restartDelayMs(8)).toBe(600_000);
  expect(restartDelayMs(9)).toBeNull();
});

test("times are said in words", () => {
  expect([1_000, minute, 90_000, 120 * minute].map(inWords)).toEqual(["1 second", "1 minute", "90 seconds", "2 hours"]);
});
