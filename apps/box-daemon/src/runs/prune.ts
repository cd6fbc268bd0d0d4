import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isId } from "@alcove/contract/ids";
import type { Environment } from "../system/environment.ts";
import { runFiles } from "./run-files.ts";

const newest = 100;
const keptMs = 7 * 86_400_000;

/**
 * Removes the journals of runs that ended more than a week ago, but for the newest hundred: the control plane has stored what is in them long since, and a
 * workspace that works every day for years must not fill its disk with them.
 */
export function pruneRuns(environment: Environment, now: number): void {
  const folder = join(environment.state, "runs");
  const ended = readdirSync(folder).flatMap((run) => {
    const files = runFiles(environment, run);
    if (!isId("run", run) || existsSync(files.lock)) return [];
    return [{ files, at: statSync(files.journal, { throwIfNoEntry: false })?.mtimeMs ?? 0 }];
  });
  const old = ended.toSorted((left, right) => right.at - left.at).slice(newest);
  for (const { files, at } of old) if (now - at > keptMs) rmSync(files.folder, { recursive: true, force: true });
}
