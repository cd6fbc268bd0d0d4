import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { newId } from "@alcove/contract/ids";
import type { Environment } from "../system/environment.ts";
import { pruneRuns } from "./prune.ts";

const folder = mkdtempSync(join(tmpdir(), "alcove-prune-"));
const runs = join(folder, "runs");
const environment = { state: folder, runtime: folder } as Environment;
const now = Date.now();
const day = 86_400_000;

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function makeRun(daysAgo: number, locked = false): string {
  const run = newId("run");
  mkdirSync(join(runs, run), { recursive: true });
  writeFileSync(join(runs, run, "journal.ndjson"), "{}\n");
  if (locked) writeFileSync(join(runs, run, "lock"), "");
  const at = new Date(now - daysAgo * day);
  utimesSync(join(runs, run, "journal.ndjson"), at, at);
  return run;
}

test("old journals go, but not the newest hundred, nor those of this week, nor that of a run at work", () => {
  const atWork = makeRun(400, true);
  const oldest = Array.from({ length: 5 }, (_, index) => makeRun(300 + index));
  const old = Array.from({ length: 40 }, () => makeRun(30));
  const recent = Array.from({ length: 60 }, () => makeRun(1));
  pruneRuns(environment, now);
  expect(readdirSync(runs).toSorted()).toEqual([atWork, ...old, ...recent].toSorted());
  for (const run of oldest) expect(readdirSync(runs)).not.toContain(run);

  for (let more = 0; more < 100; more += 1) makeRun(2);
  pruneRuns(environment, now);
  const left = new Set(readdirSync(runs));
  expect(old.filter((run) => left.has(run))).toEqual([]);
  expect(recent.filter((run) => !left.has(run))).toEqual([]);
});
