import type { Usage } from "@alcove/contract/api/workspace";
import { expect, test } from "vitest";
import { type UsagePoint, withUsage } from "./usage-history.ts";

const figures = (second: number, more: Partial<Usage> = {}): Usage => ({
  memoryBytes: 1_000,
  cpuPercent: 4,
  processes: 3,
  diskBytes: 10,
  networkInBytes: null,
  networkOutBytes: null,
  at: new Date(second * 1000).toISOString(),
  ...more,
});

test("the same figures read twice are one point", () => {
  const once = withUsage([], figures(2));
  expect(withUsage(once, figures(2))).toBe(once);
  expect(withUsage(once, figures(4))).toHaveLength(2);
});

test("network counters become bytes a second, also when a new box counts from zero", () => {
  let history: readonly UsagePoint[] = withUsage([], figures(2, { networkInBytes: 1_000, networkOutBytes: 0 }));
  history = withUsage(history, figures(4, { networkInBytes: 3_000, networkOutBytes: 500 }));
  expect(history.at(-1)).toMatchObject({ inPerSecond: 1_000, outPerSecond: 250 });
  history = withUsage(history, figures(6, { networkInBytes: 200, networkOutBytes: 0 }));
  expect(history.at(-1)).toMatchObject({ inPerSecond: 100, outPerSecond: 0 });
});

test("only the newest points are kept, and a long pause begins anew", () => {
  let history: readonly UsagePoint[] = [];
  for (let second = 2; second < 300; second += 2) history = withUsage(history, figures(second));
  expect(history).toHaveLength(60);
  expect(withUsage(history, figures(1_000))).toHaveLength(1);
});
