import type { BoxAddress } from "@alcove/contract/host";
import type { WorkspaceId } from "@alcove/contract/ids";
import { writeFileSync } from "node:fs";

/** Thaws boxes without a way to the host process and back, which takes longer than the answer of the box that is waited for. */
export interface Freezers {
  note(address: BoxAddress): void;
  forget(workspace: WorkspaceId): void;
  /** False when the box must be thawed by the host process. */
  thaw(workspace: WorkspaceId): boolean;
}

export function createFreezers(): Freezers {
  const known = new Map<WorkspaceId, NonNullable<BoxAddress["thaw"]>>();
  return {
    note({ workspace, thaw }) {
      if (thaw) known.set(workspace, thaw);
      else known.delete(workspace);
    },
    forget: (workspace) => void known.delete(workspace),
    thaw(workspace) {
      const freezer = known.get(workspace);
      if (!freezer) return false;
      try {
        // Never makes a file where the kernel has none any more.
        writeFileSync(freezer.file, freezer.words, { flag: "r+" });
        return true;
      } catch {
        known.delete(workspace);
        return false;
      }
    },
  };
}
