import type { SnapshotId, WorkspaceId } from "@alcove/contract/ids";

/** Where the parts of a workspace's volume are below the store's folder (the pool's mount, or `<data>/volumes`). */
export function volumePaths(store: string, id: WorkspaceId) {
  const folder = `${store}/workspaces/${id}`;
  return {
    folder,
    /** Files and the root file system's own layer: what a snapshot holds. */
    live: `${folder}/live`,
    files: `${folder}/live/workspace`,
    rootLayer: `${folder}/live/root`,
    /** The daemon's journal; snapshots and restores leave it alone. */
    state: `${folder}/state`,
    snapshots: `${folder}/snapshots`,
    snapshot: (snapshot: SnapshotId) => `${folder}/snapshots/${snapshot}`,
  };
}
