import type { Change } from "@alcove/contract/api/workspace";
import type { VolumeCapabilities } from "@alcove/contract/host";
import type { SnapshotId, WorkspaceId } from "@alcove/contract/ids";
import type { Readable } from "node:stream";

export type { VolumeCapabilities };

/**
 * Where the files of workspaces live. Every call may be repeated. Paths are relative to /workspace (`user/projects/a.md`); bytes of a file name that
 * are not UTF-8 appear as U+FFFD. Codes: `not_found` (no such volume or snapshot), `host_full`, `workspace_full`, `workspace_busy`, `snapshot_failed`.
 */
export interface VolumeStore {
  capabilities(signal: AbortSignal): Promise<VolumeCapabilities>;
  create(id: WorkspaceId, signal: AbortSignal): Promise<void>;
  /** Removes the volume with all its snapshots; the box must be destroyed before. */
  destroy(id: WorkspaceId, signal: AbortSignal): Promise<void>;
  /** A snapshot of files and root file system, without the daemon's journal; an existing snapshot of this id is kept as it is. */
  snapshot(id: WorkspaceId, snapshot: SnapshotId, signal: AbortSignal): Promise<void>;
  deleteSnapshot(id: WorkspaceId, snapshot: SnapshotId, signal: AbortSignal): Promise<void>;
  /** Makes the volume of another workspace from a snapshot; the new one starts with an empty journal. */
  fork(id: WorkspaceId, snapshot: SnapshotId, target: WorkspaceId, signal: AbortSignal): Promise<void>;
  /** Puts the whole volume back; `workspace_busy` while the box runs. */
  restore(id: WorkspaceId, snapshot: SnapshotId, signal: AbortSignal): Promise<void>;
  /** What differs below user/, sorted by path; `to: null` means now; `from` may be a snapshot of another workspace, `fromWorkspace`. Nothing is filtered. */
  changes(
    id: WorkspaceId,
    from: SnapshotId,
    to: SnapshotId | null,
    signal: AbortSignal,
    fromWorkspace?: WorkspaceId,
  ): Promise<Change[]>;
  /** Undoes in place, while the box runs, what changed between the two; what changed again after `to` is left alone and listed in `kept`. */
  revert(
    id: WorkspaceId,
    from: SnapshotId,
    to: SnapshotId,
    signal: AbortSignal,
  ): Promise<{ reverted: string[]; kept: string[] }>;
  /** The bytes of a file in a snapshot; links are not followed. Codes: `file_not_found`, `is_folder`, `path_invalid`. */
  readSnapshot(id: WorkspaceId, snapshot: SnapshotId, path: string, signal: AbortSignal): Promise<Readable>;
  /** A gzipped tar of what a snapshot has below `user/`, owned by nobody in particular. Ends early with an error when it cannot be read to its end. */
  export(id: WorkspaceId, snapshot: SnapshotId, signal: AbortSignal): Promise<Readable>;
  usage(id: WorkspaceId, signal: AbortSignal): Promise<{ bytes: number }>;
}
