import { desc, eq } from "drizzle-orm";
import type { Snapshot } from "@alcove/contract/api/workspace";
import type { SnapshotId, WorkspaceId } from "@alcove/contract/ids";
import type { Db } from "../database/database.ts";
import { snapshots } from "../database/schema.ts";
import type { Workspaces } from "./workspaces.ts";

export interface Snapshots {
  list(workspace: WorkspaceId): Promise<Snapshot[]>;
  /** The row is stored first: a snapshot that a crash left without files is known and can be removed. */
  take(
    workspace: WorkspaceId,
    id: SnapshotId,
    of: { name: string | null; run: string | null },
    signal: AbortSignal,
  ): Promise<Snapshot>;
}

export function createSnapshots({ db, workspaces }: { db: Db; workspaces: Workspaces }): Snapshots {
  const view = (row: typeof snapshots.$inferSelect): Snapshot => ({
    id: row.id,
    workspace: row.workspaceId,
    name: row.name,
    run: row.runId,
    createdAt: row.createdAt.toISOString(),
  });
  return {
    async list(workspace) {
      const rows = await db
        .select()
        .from(snapshots)
        .where(eq(snapshots.workspaceId, workspace))
        .orderBy(desc(snapshots.createdAt))
        .limit(500);
      return rows.map(view);
    },
    async take(workspace, id, { name, run }, signal) {
      const values = { id, workspaceId: workspace, name, runId: run, createdAt: new Date(), state: "taking" as const };
      const [row] = await db.insert(snapshots).values(values).returning();
      if (!row) throw new Error("the row of a new snapshot was not given back");
      await workspaces.snapshot(workspace, id, signal);
      await db.update(snapshots).set({ state: "ready" }).where(eq(snapshots.id, id));
      return view(row);
    },
  };
}
