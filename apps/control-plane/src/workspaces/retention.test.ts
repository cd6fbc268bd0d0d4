import { expect, test } from "vitest";
import { expiredSnapshots } from "./retention.ts";

const now = new Date("2026-11-21T12:00:00Z");
const at = (id: string, hoursAgo: number) => ({ id, createdAt: new Date(now.getTime() - hoursAgo * 3_600_000) });
const none = new Set<string>();

test("the newest stay, and behind them one a day for so many days", () => {
  const snapshots = [at("a", 0), at("b", 1), at("c", 2), at("d", 20), at("e", 21), at("f", 44), at("g", 24 * 20)];
  expect(expiredSnapshots(snapshots, { last: 2, days: 14 }, none, now)).toEqual(["e", "g"]);
});

test("what is needed stays and does not count", () => {
  const snapshots = [at("a", 1), at("b", 2), at("c", 3)];
  expect(expiredSnapshots(snapshots, { last: 1, days: 0 }, new Set(["a", "c"]), now)).toEqual([]);
  expect(expiredSnapshots(snapshots, { last: 0, days: 0 }, new Set(["c"]), now)).toEqual(["a", "b"]);
});
