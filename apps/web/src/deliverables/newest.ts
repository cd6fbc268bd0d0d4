import type { Run, RunFile } from "@alcove/contract/api/run";

export interface Deliverable {
  run: Run;
  file: RunFile;
  /** How many runs have written it, this one counted. */
  version: number;
}

/** The newest state of every deliverable; one that was deleted or undone later is left out. */
export function newestDeliverables(runs: Run[]): Deliverable[] {
  const newest = new Map<string, Deliverable | null>();
  const versions = new Map<string, number>();
  for (const run of runs.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))) {
    if (run.undo === "done") continue;
    for (const file of run.files) {
      if (file.change === "deleted") newest.set(file.path, null);
      else if (file.deliverable && file.kind === "file") {
        const version = (versions.get(file.path) ?? 0) + 1;
        versions.set(file.path, version);
        newest.delete(file.path);
        newest.set(file.path, { run, file, version });
      }
    }
  }
  return [...newest.values()].filter((deliverable) => deliverable !== null).toReversed();
}
