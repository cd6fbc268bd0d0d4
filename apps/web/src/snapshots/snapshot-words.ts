import type { Run } from "@alcove/contract/api/run";
import type { Snapshot } from "@alcove/contract/api/workspace";
import { formatTime } from "../format/format.ts";

/** What a snapshot is called: its own name or the turn that it belongs to. */
export function snapshotTitle(snapshot: Snapshot, all: readonly Snapshot[], runs: readonly Run[]): string {
  if (snapshot.name !== null) return snapshot.name;
  if (snapshot.run === null) return "Snapshot";
  const title = runs.find((run) => run.id === snapshot.run)?.title ?? "a turn";
  const isFirst = all.every((other) => other.run !== snapshot.run || other.createdAt >= snapshot.createdAt);
  return `${isFirst ? "Before" : "After"} “${title}”`;
}

/** `10:42` today, `20 Nov, 10:42` on another day. */
export function dayTime(at: string, now = Date.now()): string {
  const then = new Date(at);
  const time = formatTime(at);
  if (then.toDateString() === new Date(now).toDateString()) return time;
  return `${then.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}
