import type { Run, RunFile } from "@alcove/contract/api/run";
import { diffsOf } from "../chat/tool-call.tsx";
import type { FileDiff } from "../chat/diff-lines.ts";
import type { Transcript } from "../chat/transcript.ts";

export interface FileChange {
  path: string;
  change: RunFile["change"];
  /** Differences in the order in which they were made; none for a file that a command wrote. */
  diffs: FileDiff[];
  added: number;
  removed: number;
}

/** The files of a run with the differences that its calls told of: the run's list when it is over, the calls' own while it works. */
export function changesOf(run: Run, transcript: Transcript): FileChange[] {
  const told = new Map<string, FileDiff[]>();
  for (const item of transcript.items) {
    if (item.type !== "tool" || item.call.status === "failed") continue;
    for (const { path, diff } of diffsOf(item.call)) {
      const key = inVolume(path);
      told.set(key, [...(told.get(key) ?? []), diff]);
    }
  }
  const files = run.files.filter((file) => file.kind !== "folder");
  const known: { path: string; change: RunFile["change"] }[] =
    files.length > 0 ? files : [...told.keys()].map((path) => ({ path, change: "modified" as const }));
  return known.map(({ path, change }) => {
    const diffs = told.get(path) ?? [];
    const sum = (pick: (diff: FileDiff) => number) => diffs.reduce((total, diff) => total + pick(diff), 0);
    return { path, change, diffs, added: sum((diff) => diff.added), removed: sum((diff) => diff.removed) };
  });
}

/** Agents name files from the root of the box; runs name them from the workspace's volume. */
function inVolume(path: string): string {
  if (path.startsWith("/workspace/")) return path.slice("/workspace/".length);
  return path.startsWith("/") ? path.slice(1) : path.startsWith("user/") ? path : `user/projects/${path}`;
}
