import { and, desc, eq, inArray, isNull, lt, ne, or, sql } from "drizzle-orm";
import type { Readable } from "node:stream";
import type { Change, FileDiff, Snapshot } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { newId, parseId, type SnapshotId, type WorkspaceId } from "@alcove/contract/ids";
import type { Db } from "../database/database.ts";
import { runs, snapshots, workspaces as workspaceRows } from "../database/schema.ts";
import { noteChange } from "../events/notices.ts";
import type { Wake } from "../events/wake.ts";
import type { Log } from "../log/log.ts";
import type { VolumeStore } from "../volumes/volume-store.ts";
import { diffFiles } from "./file-diff.ts";
import { expiredSnapshots, type Retention } from "./retention.ts";
import type { WorkspaceRow, WorkspaceStore } from "./workspace-store.ts";
import type { Workspaces } from "./workspaces.ts";

const shown = 500;
/** After so long, a snapshot that is said to be taken never will be: whoever took it is gone. */
const abandonedMinutes = 10;

export interface Snapshots {
  /** The newest first, at most 500. */
  list(workspace: WorkspaceId): Promise<Snapshot[]>;
  /**
   * Of a workspace as it runs. The row is stored first: a snapshot that a crash left without files is known and can be removed. The name of an
   * `automatic` one does not make it stay.
   */
  take(
    workspace: WorkspaceId,
    id: SnapshotId,
    of: { name: string | null; run: string | null; automatic?: boolean },
    signal: AbortSignal,
  ): Promise<Snapshot>;
  rename(workspace: WorkspaceId, id: SnapshotId, name: string | null): Promise<Snapshot>;
  /** Any node of the tree: its children get its parent. `workspace_busy` while a run or a fork needs it. */
  remove(workspace: WorkspaceId, id: SnapshotId, signal: AbortSignal): Promise<void>;
  /** Puts all files back and starts the box again if it ran; gives the snapshot of what was there until then. */
  restore(row: WorkspaceRow, id: SnapshotId, signal: AbortSignal): Promise<Snapshot>;
  /** A new workspace with the files of a snapshot, or of this moment. */
  fork(
    row: WorkspaceRow,
    wish: { name?: string | undefined; snapshot?: SnapshotId | undefined },
    signal: AbortSignal,
  ): Promise<WorkspaceRow>;
  /** What differs between two snapshots of the owner's, also of two workspaces; `to` null is this workspace now. Codes: `not_found`. */
  changes(row: WorkspaceRow, from: SnapshotId, to: SnapshotId | null, signal: AbortSignal): Promise<Change[]>;
  /** The same for one text file. */
  diff(
    row: WorkspaceRow,
    range: { from: SnapshotId; to: SnapshotId },
    path: string,
    signal: AbortSignal,
  ): Promise<FileDiff>;
  /** A gzipped tar of the files below `user/`, of a snapshot or of this moment. */
  export(workspace: WorkspaceId, id: SnapshotId | null, signal: AbortSignal): Promise<Readable>;
  /** The snapshot as the origin of a new workspace; `not_found` also when it is somebody else's. */
  origin(owner: string, id: string): Promise<{ workspace: WorkspaceId; snapshot: SnapshotId }>;
  /** Removes what has expired and what a crash left; called again and again. */
  tidy(signal: AbortSignal): Promise<void>;
}

interface Parts {
  readonly db: Db;
  readonly wake: Wake;
  readonly store: WorkspaceStore;
  readonly workspaces: Workspaces;
  readonly volumes: VolumeStore;
  readonly retention: Retention;
  readonly stopping: AbortSignal;
  readonly log: Log;
}

type Row = typeof snapshots.$inferSelect;

export function createSnapshots({ db, wake, store, workspaces, volumes, retention, stopping, log }: Parts): Snapshots {
  const view = (row: Row): Snapshot => ({
    id: row.id,
    workspace: row.workspaceId,
    name: row.name,
    run: row.runId,
    parent: row.parentId,
    createdAt: row.createdAt.toISOString(),
  });

  const find = async (workspace: WorkspaceId, id: SnapshotId): Promise<Row> => {
    const [row] = await db
      .select()
      .from(snapshots)
      .where(and(eq(snapshots.id, id), eq(snapshots.workspaceId, workspace), eq(snapshots.state, "ready")));
    if (!row) throw new CodedError("not_found", `There is no snapshot "${id}" of this workspace.`);
    return row;
  };

  /** The workspace of a snapshot; `not_found` also when it belongs to somebody else. */
  const workspaceOf = async (owner: string, id: SnapshotId): Promise<WorkspaceId> => {
    const [row] = await db
      .select({ workspace: workspaceRows.id })
      .from(snapshots)
      .innerJoin(workspaceRows, eq(workspaceRows.id, snapshots.workspaceId))
      .where(and(eq(snapshots.id, id), eq(snapshots.state, "ready"), eq(workspaceRows.ownerId, owner)));
    if (!row) throw new CodedError("not_found", `There is no snapshot "${id}".`);
    return parseId("workspace", row.workspace);
  };

  const tell = async (workspace: WorkspaceId): Promise<void> => {
    const [row] = await db
      .select({ owner: workspaceRows.ownerId })
      .from(workspaceRows)
      .where(eq(workspaceRows.id, workspace));
    if (!row) return;
    await noteChange(db, { owner: row.owner, resource: "workspace", id: workspace, workspace });
    wake.notify(`owner:${row.owner}`);
  };

  /** The files are kept when this resolves; `store` makes it a snapshot that people see. */
  const begin = async (...[workspace, id, of, signal]: Parameters<Snapshots["take"]>) => {
    const { name, run, automatic = false } = of;
    const base = db
      .select({ id: workspaceRows.baseSnapshot })
      .from(workspaceRows)
      .where(eq(workspaceRows.id, workspace));
    const begun = { id, workspaceId: workspace, name, automatic, runId: run, createdAt: new Date() };
    const [row] = await db
      .insert(snapshots)
      .values({ ...begun, state: "taking", parentId: sql`(${base})` })
      .returning();
    if (!row) throw new Error("the database stored no snapshot");
    try {
      await volumes.snapshot(workspace, id, signal);
    } catch (error) {
      await db.update(snapshots).set({ state: "deleting" }).where(eq(snapshots.id, id));
      throw error;
    }
    return { store: () => storeTaken(workspace, row) };
  };

  const storeTaken = async (workspace: WorkspaceId, row: Row): Promise<Snapshot> => {
    const { id } = row;
    const based = await db.execute<{ owner: string }>(sql`
      with taken as (update ${snapshots} set state = 'ready' where id = ${id}),
        based as (update ${workspaceRows} set base_snapshot = ${id} where id = ${workspace} returning id, owner_id),
        told as (insert into notices (owner_id, resource, resource_id, workspace_id) select owner_id, 'workspace', id, id from based)
      select owner_id as owner from based`);
    store.forget(workspace);
    for (const { owner } of based.rows) wake.notify(`owner:${owner}`);
    return view({ ...row, state: "ready" });
  };

  const take: Snapshots["take"] = async (...what) => (await begin(...what)).store();

  /** The row is marked first, so that a crash in between leaves something that `tidy` finds. */
  const discard = async (row: Pick<Row, "id" | "workspaceId">, signal: AbortSignal): Promise<void> => {
    await db.update(snapshots).set({ state: "deleting" }).where(eq(snapshots.id, row.id));
    await volumes.deleteSnapshot(parseId("workspace", row.workspaceId), parseId("snapshot", row.id), signal);
    await db.transaction(async (tx) => {
      const [gone] = await tx.delete(snapshots).where(eq(snapshots.id, row.id)).returning();
      if (!gone) return;
      await tx.update(snapshots).set({ parentId: gone.parentId }).where(eq(snapshots.parentId, row.id));
      await tx.update(workspaceRows).set({ baseSnapshot: gone.parentId }).where(eq(workspaceRows.baseSnapshot, row.id));
      await tx
        .update(runs)
        .set({ undo: "none" })
        .where(and(eq(runs.undo, "possible"), or(eq(runs.snapshotBefore, row.id), eq(runs.snapshotAfter, row.id))));
    });
    store.forget();
  };

  /** Snapshots that something at work needs: of runs that have not ended, and of forks that are being made. */
  const needed = async (): Promise<Set<string>> => {
    const working = await db
      .select({ before: runs.snapshotBefore, after: runs.snapshotAfter })
      .from(runs)
      .where(isNull(runs.endedAt));
    const forking = await db
      .select({ id: workspaceRows.originSnapshot })
      .from(workspaceRows)
      .where(and(eq(workspaceRows.state, "creating")));
    const ids = [...working.flatMap(({ before, after }) => [before, after]), ...forking.map(({ id }) => id)];
    return new Set(ids.filter((id) => id !== null));
  };

  /** The newest run of each session can be undone as long as its snapshots are there. */
  const undoable = async (): Promise<string[]> => {
    const rows = await db
      .selectDistinctOn([runs.sessionId], { before: runs.snapshotBefore, after: runs.snapshotAfter })
      .from(runs)
      .orderBy(runs.sessionId, desc(runs.createdAt));
    return rows.flatMap(({ before, after }) => [before, after]).filter((id) => id !== null);
  };

  return {
    async list(workspace) {
      const rows = await db
        .select()
        .from(snapshots)
        .where(and(eq(snapshots.workspaceId, workspace), eq(snapshots.state, "ready")))
        .orderBy(desc(snapshots.createdAt), desc(snapshots.id))
        .limit(shown);
      return rows.map(view);
    },

    take,

    async rename(workspace, id, name) {
      await find(workspace, id);
      const [row] = await db.update(snapshots).set({ name, automatic: false }).where(eq(snapshots.id, id)).returning();
      if (!row) throw new CodedError("not_found");
      await tell(workspace);
      return view(row);
    },

    async remove(workspace, id, signal) {
      const row = await find(workspace, id);
      if ((await needed()).has(id))
        throw new CodedError("workspace_busy", "Cannot delete the snapshot: a run or a fork at work needs it.");
      await discard(row, signal);
      await tell(workspace);
    },

    async restore(row, id, signal) {
      const { name, automatic, createdAt } = await find(row.id, id);
      const title = (automatic ? null : name) ?? createdAt.toISOString().slice(0, 16).replace("T", " ");
      return workspaces.whileStopped(row.id, "restore", `Awake: files are back at ${title}`, signal, async (within) => {
        const safety = await take(
          row.id,
          newId("snapshot"),
          { name: `Before going back to ${title}`, run: null, automatic: true },
          within,
        );
        await volumes.restore(row.id, id, within);
        await db.update(workspaceRows).set({ baseSnapshot: id }).where(eq(workspaceRows.id, row.id));
        store.forget(row.id);
        return safety;
      });
    },

    async fork(row, { name, snapshot }, signal) {
      const from = snapshot ?? newId("snapshot");
      if (snapshot) await find(row.id, snapshot);
      const taken = snapshot ? null : await begin(row.id, from, { name: null, run: null }, signal);
      const { runtime, limits, network, lifetime } = row;
      const wish = { name, runtime, limits, network, lifetime };
      // Side by side: whoever forks waits for each way to the database.
      const [made, stored] = await Promise.allSettled([
        workspaces.create(row.ownerId, wish, { workspace: row.id, snapshot: from }),
        taken?.store(),
      ]);
      if (stored.status === "rejected") throw stored.reason;
      if (made.status === "rejected") throw made.reason;
      return made.value;
    },

    async changes({ id, ownerId }, from, to, signal) {
      const older = await workspaceOf(ownerId, from);
      const newer = to === null ? id : await workspaceOf(ownerId, to);
      return volumes.changes(newer, from, to, signal, older);
    },

    async diff({ ownerId }, { from, to }, path, signal) {
      const places = new Map([
        [from, await workspaceOf(ownerId, from)],
        [to, await workspaceOf(ownerId, to)],
      ]);
      const read = (snapshot: SnapshotId) => {
        const workspace = places.get(snapshot);
        if (workspace === undefined) throw new CodedError("not_found");
        return volumes.readSnapshot(workspace, snapshot, path, signal);
      };
      return diffFiles(read, { from, to }, path);
    },

    async export(workspace, id, signal) {
      if (id !== null) {
        await find(workspace, id);
        return volumes.export(workspace, id, signal);
      }
      const now = newId("snapshot");
      await take(workspace, now, { name: null, run: null }, signal);
      const stream = await volumes.export(workspace, now, signal);
      stream.once("close", () => {
        discard({ id: now, workspaceId: workspace }, stopping).catch((error: unknown) =>
          log.warn({ err: error, snapshot: now }, "the snapshot of an export was not removed; it is tried again"),
        );
      });
      return stream;
    },

    async origin(owner, id) {
      const [row] = await db
        .select({ workspace: snapshots.workspaceId })
        .from(snapshots)
        .innerJoin(workspaceRows, eq(workspaceRows.id, snapshots.workspaceId))
        .where(and(eq(snapshots.id, id), eq(snapshots.state, "ready"), eq(workspaceRows.ownerId, owner)));
      if (!row) throw new CodedError("not_found", `There is no snapshot "${id.slice(0, 80)}".`);
      return { workspace: parseId("workspace", row.workspace), snapshot: parseId("snapshot", id) };
    },

    async tidy(signal) {
      const abandoned = and(
        eq(snapshots.state, "taking"),
        lt(snapshots.createdAt, sql`now() - make_interval(mins => ${abandonedMinutes})`),
      );
      const broken = await db
        .select()
        .from(snapshots)
        .where(or(eq(snapshots.state, "deleting"), abandoned));
      const unnamed = await db
        .select()
        .from(snapshots)
        .where(and(or(isNull(snapshots.name), snapshots.automatic), eq(snapshots.state, "ready")));
      const stay = new Set([...(await needed()), ...(await undoable())]);
      const now = new Date();
      const expired = Object.values(Object.groupBy(unnamed, ({ workspaceId }) => workspaceId)).flatMap((rows) =>
        expiredSnapshots(rows ?? [], retention, stay, now),
      );
      const old =
        expired.length === 0
          ? []
          : await db
              .select()
              .from(snapshots)
              .where(and(inArray(snapshots.id, expired), ne(snapshots.state, "deleting")));
      for (const row of [...broken, ...old]) {
        if (signal.aborted) return;
        await discard(row, signal).catch((error: unknown) =>
          log.warn({ err: error, snapshot: row.id }, "a snapshot was not removed; it is tried again"),
        );
      }
    },
  };
}
