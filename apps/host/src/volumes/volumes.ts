import type { Change } from "@alcove/contract/api/workspace";
import { CodedError, type ErrorCode } from "@alcove/contract/errors";
import type { SnapshotId, WorkspaceId } from "@alcove/contract/ids";
import { chownSync, createReadStream, constants, existsSync, fstatSync, mkdirSync, renameSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { exchangePaths, openBeneath, openTop, type Opened } from "../kernel/beneath.ts";
import { SystemCallError } from "../kernel/libc.ts";
import { archiveFolder } from "./archive.ts";
import { boxUser } from "../site.ts";
import { compareTrees, type TreeChange } from "./compare-trees.ts";
import { volumePaths } from "./layout.ts";
import { isFull } from "./pool.ts";
import { revertChanges } from "./revert.ts";
import type { Trees } from "./trees.ts";

/** Of the tree, what `changes` and `revert` are about. */
const userPart = "workspace/user";

type Parts = {
  trees: Trees;
  store: string;
  /** Added to a box's ids on the disk. */
  idOffset: number;
  isRunning: (id: WorkspaceId) => Promise<boolean>;
  /** Takes the box's CPU away during the work where that is possible. */
  whilePaused: <T>(id: WorkspaceId, work: () => Promise<T>) => Promise<T>;
};

/** The volumes of this machine; calls for one workspace come one after the other. Each may be repeated after a crash at any point. */
export function createVolumes({ trees, store, idOffset, isRunning, whilePaused }: Parts) {
  const at = (id: WorkspaceId) => volumePaths(store, id);

  const mustBeThere = (id: WorkspaceId, snapshot?: SnapshotId): void => {
    if (!existsSync(at(id).live)) throw new CodedError("not_found", `Cannot find the volume of workspace "${id}"`);
    if (snapshot !== undefined && !existsSync(at(id).snapshot(snapshot)))
      throw new CodedError("not_found", `Cannot find snapshot "${snapshot}" of workspace "${id}"`);
  };

  /** Work on the disk: an error becomes `host_full` when that is why, else the given code. */
  const onDisk = async <T>(code: ErrorCode, action: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof CodedError && cause.code !== "internal") throw cause;
      if (await isFull(store))
        throw new CodedError("host_full", `Cannot ${action}: the server's disk is full`, { cause });
      throw new CodedError(code, `Cannot ${action}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
  };

  const prepare = async (id: WorkspaceId): Promise<void> => {
    const paths = at(id);
    mkdirSync(paths.snapshots, { recursive: true, mode: 0o711 });
    // Left by a crash during a restore.
    await trees.remove(`${paths.live}.new`);
    if (existsSync(paths.state)) return;
    await trees.remove(`${paths.state}.new`);
    await trees.create(`${paths.state}.new`);
    chownSync(`${paths.state}.new`, idOffset + boxUser, idOffset + boxUser);
    renameSync(`${paths.state}.new`, paths.state);
  };

  const makeLive = async (path: string): Promise<void> => {
    await trees.create(path);
    mkdirSync(`${path}/root`, { mode: 0o755 });
    chownSync(`${path}/root`, idOffset, idOffset);
    for (const [folder, owner] of [
      ["", 0],
      ["/user", boxUser],
      ["/user/home", boxUser],
      ["/user/projects", boxUser],
      ["/system", boxUser],
      ["/system/logs", boxUser],
      ["/system/backups", boxUser],
      ["/system/state", boxUser],
    ] as const) {
      mkdirSync(`${path}/workspace${folder}`, { mode: 0o755 });
      chownSync(`${path}/workspace${folder}`, idOffset + owner, idOffset + owner);
    }
  };

  /** Opens both trees for a comparison; "now" is a snapshot for as long as it takes, where that costs nothing. */
  const withTrees = async <T>(
    id: WorkspaceId,
    from: { workspace: WorkspaceId; snapshot: SnapshotId },
    to: SnapshotId | null,
    work: (from: Opened, to: Opened, touched: Set<string> | null) => Promise<T>,
  ): Promise<T> => {
    const older = at(from.workspace).snapshot(from.snapshot);
    const now = `${at(id).folder}/now`;
    let newer = to === null ? at(id).live : at(id).snapshot(to);
    try {
      if (to === null && trees.kind === "btrfs") {
        await trees.remove(now);
        await trees.copy(at(id).live, now, { readOnly: true });
        newer = now;
      }
      const touched = await trees.touched(older, newer);
      using left = openTop(`${older}/${userPart}`);
      using right = openTop(`${newer}/${userPart}`);
      return await work(left, right, touched === null ? null : belowUser(touched));
    } finally {
      if (newer === now) await trees.remove(now);
    }
  };

  return {
    kind: trees.kind,
    hasLimits: trees.hasLimits,
    create: (id: WorkspaceId) =>
      onDisk("internal", "create the workspace's volume", async () => {
        await prepare(id);
        if (existsSync(at(id).live)) return;
        await makeLive(`${at(id).live}.new`);
        renameSync(`${at(id).live}.new`, at(id).live);
      }),
    async destroy(id: WorkspaceId): Promise<void> {
      if (await isRunning(id))
        throw new CodedError("workspace_busy", "Cannot destroy the volume: the workspace's box still runs");
      const paths = at(id);
      for (const name of await readdir(paths.snapshots).catch(() => []))
        await trees.remove(`${paths.snapshots}/${name}`);
      for (const path of [paths.live, `${paths.live}.new`, paths.state, `${paths.state}.new`, `${paths.folder}/now`])
        await trees.remove(path);
      await rm(paths.folder, { recursive: true, force: true });
    },
    snapshot: (id: WorkspaceId, snapshot: SnapshotId) =>
      onDisk("snapshot_failed", "take the snapshot", async () => {
        mustBeThere(id);
        const target = at(id).snapshot(snapshot);
        if (existsSync(target)) return;
        const copy = () => trees.copy(at(id).live, target, { readOnly: true });
        await (trees.kind === "btrfs" ? copy() : whilePaused(id, copy));
      }),
    deleteSnapshot: (id: WorkspaceId, snapshot: SnapshotId) =>
      onDisk("internal", "delete the snapshot", () => trees.remove(at(id).snapshot(snapshot))),
    fork: (id: WorkspaceId, snapshot: SnapshotId, target: WorkspaceId) =>
      onDisk("internal", "fork the workspace", async () => {
        await prepare(target);
        if (existsSync(at(target).live)) return;
        mustBeThere(id, snapshot);
        await trees.copy(at(id).snapshot(snapshot), at(target).live, { readOnly: false });
      }),
    restore: (id: WorkspaceId, snapshot: SnapshotId) =>
      onDisk("internal", "restore the snapshot", async () => {
        mustBeThere(id, snapshot);
        if (await isRunning(id))
          throw new CodedError("workspace_busy", "Cannot restore the snapshot: the workspace's box still runs");
        await prepare(id);
        const fresh = `${at(id).live}.new`;
        await trees.copy(at(id).snapshot(snapshot), fresh, { readOnly: false });
        exchangePaths(fresh, at(id).live);
        await trees.remove(fresh);
      }),
    changes: (id: WorkspaceId, from: { workspace: WorkspaceId; snapshot: SnapshotId }, to: SnapshotId | null) =>
      onDisk("internal", "compare the snapshots", async (): Promise<Change[]> => {
        mustBeThere(from.workspace, from.snapshot);
        mustBeThere(id, to ?? undefined);
        const changes = await withTrees(id, from, to, compareTrees);
        return changes.map((change) => ({ ...change, path: publicPath(change.path) }));
      }),
    revert: (id: WorkspaceId, from: SnapshotId, to: SnapshotId) =>
      onDisk("internal", "undo the changes", async () => {
        mustBeThere(id, from);
        mustBeThere(id, to);
        const { reverted, kept } = await withTrees(
          id,
          { workspace: id, snapshot: from },
          to,
          async (older, newer, touched) => {
            const changes: TreeChange[] = await compareTrees(older, newer, touched);
            using live = openTop(`${at(id).live}/${userPart}`);
            return revertChanges({ changes, from: older, to: newer, live });
          },
        );
        return { reverted: reverted.map(publicPath), kept: kept.map(publicPath) };
      }),
    async read(id: WorkspaceId, snapshot: SnapshotId, path: string): Promise<{ stream: Readable; size: number }> {
      mustBeThere(id, snapshot);
      using top = openTop(`${at(id).snapshot(snapshot)}/workspace`);
      return openFile(top, path);
    },
    async export(id: WorkspaceId, snapshot: SnapshotId, signal: AbortSignal): Promise<Readable> {
      mustBeThere(id, snapshot);
      return archiveFolder(`${at(id).snapshot(snapshot)}/${userPart}`, signal);
    },
    async usage(id: WorkspaceId): Promise<{ bytes: number }> {
      mustBeThere(id);
      return { bytes: (await trees.usage(at(id).live)) + (await trees.usage(at(id).state)) };
    },
    /** What the limit of the disk is about: the files without the journal. */
    filesBytes: (id: WorkspaceId): Promise<number> => trees.usage(at(id).live),
    async limit(id: WorkspaceId, bytes: number | undefined): Promise<void> {
      mustBeThere(id);
      await trees.limit(at(id).live, bytes);
    },
  };
}

/** Paths below user/, relative to it; a change of user/ itself is one of everything in it. */
function belowUser(touched: Set<string>): Set<string> {
  const below = new Set<string>();
  for (const path of touched) {
    if (userPart.startsWith(`${path}/`) || path === userPart) below.add("");
    if (path.startsWith(`${userPart}/`)) below.add(path.slice(userPart.length + 1));
  }
  return below;
}

/** Bytes of a name that are not UTF-8 appear as U+FFFD. */
function publicPath(path: string): string {
  return `user/${Buffer.from(path, "latin1").toString("utf8")}`;
}

function openFile(top: Opened, path: string): { stream: Readable; size: number } {
  let fd: number;
  try {
    ({ fd } = openBeneath(
      top,
      Buffer.from(path, "utf8").toString("latin1"),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    ));
  } catch (cause) {
    if (cause instanceof SystemCallError && cause.code === "ENAMETOOLONG")
      throw new CodedError("path_invalid", `Cannot read "${path}": the path is too long`, { cause });
    throw new CodedError("file_not_found", `Cannot read "${path}": there is no such file in the snapshot`, { cause });
  }
  const stream = createReadStream("", { fd, autoClose: true });
  const entry = fstatSync(fd);
  if (entry.isFile()) return { stream, size: entry.size };
  stream.destroy();
  throw new CodedError(entry.isDirectory() ? "is_folder" : "file_not_found", `Cannot read "${path}": it is not a file`);
}
