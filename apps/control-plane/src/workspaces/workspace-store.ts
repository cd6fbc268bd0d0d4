import { and, desc, DrizzleQueryError, eq, lt, or } from "drizzle-orm";
import pg from "pg";
import { retry, type Backoff } from "@alcove/base/retry";
import type { WorkspaceEventBody } from "@alcove/contract/api/workspace-event";
import { CodedError } from "@alcove/contract/errors";
import { isId, parseId, type WorkspaceId } from "@alcove/contract/ids";
import type { Db } from "../database/database.ts";
import { workspaces } from "../database/schema.ts";
import { noteChange } from "../events/notices.ts";
import { replicasTopic, type Wake } from "../events/wake.ts";
import { createRowMemory } from "./row-memory.ts";
import { createWorkspaceStatements, type NewWorkspaceRow, type UpdateConditions } from "./workspace-statements.ts";

export type WorkspaceRow = typeof workspaces.$inferSelect & { id: WorkspaceId };

/** Another event of the workspace took its number at the same moment. */
const numberTaken: Backoff = { attempts: 6, firstMs: 1, longestMs: 20, worthIt: isNumberTaken };

/** Rows of workspaces; each change tells those who wait for it. While this replica is `alone`, rows that people use are remembered. */
export function createWorkspaceStore({ db, wake, alone }: { db: Db; wake: Wake; alone: () => boolean }) {
  const statements = createWorkspaceStatements(db);
  const memory = createRowMemory<WorkspaceRow>(alone);
  wake.onForeign((topic) => {
    if (topic === null || topic === replicasTopic) memory.forget();
    else if (topic.startsWith("workspace:")) memory.forget(topic.slice("workspace:".length));
  });
  const branded = (row: typeof workspaces.$inferSelect): WorkspaceRow => ({ ...row, id: parseId("workspace", row.id) });

  const tell = (row: WorkspaceRow) => {
    wake.notify(`workspace:${row.id}`);
    wake.notify(`owner:${row.ownerId}`);
  };

  const readById = async (id: string): Promise<WorkspaceRow | undefined> => {
    const [row] = await statements.byId.execute({ id });
    return row && branded(row);
  };

  const readByName = async (owner: string, name: string): Promise<WorkspaceRow | undefined> => {
    const [row] = await statements.byName.execute({ owner, name });
    return row && branded(row);
  };

  return {
    /** Stores the workspace with the first thing that happened to it, if there is one, in one statement: whoever makes it waits for each way to the database. */
    async insert(row: NewWorkspaceRow, first?: WorkspaceEventBody): Promise<WorkspaceRow> {
      const inserted = await memory.change(row.id, async () => {
        const made = await statements.insert(row, first);
        return made && branded(made);
      });
      if (!inserted) throw new CodedError("name_taken", `You already have a workspace named "${row.name}".`);
      tell(inserted);
      return inserted;
    },

    /** The workspace of that id or name; `not_found` also when it belongs to somebody else. */
    async owned(owner: string, idOrName: string): Promise<WorkspaceRow> {
      const row = isId("workspace", idOrName)
        ? (memory.byId(idOrName) ?? (await memory.look(() => readById(idOrName))))
        : (memory.byName(owner, idOrName) ?? (await memory.look(() => readByName(owner, idOrName))));
      if (row?.ownerId !== owner)
        throw new CodedError("not_found", `There is no workspace "${idOrName.slice(0, 80)}".`);
      return row;
    },

    byId: readById,

    /** The same, not always asked of the database. */
    async current(id: WorkspaceId): Promise<WorkspaceRow | undefined> {
      return memory.byId(id) ?? (await memory.look(() => readById(id)));
    },

    /** One row, or any, was changed elsewhere than here. */
    forget: (id?: WorkspaceId) => memory.forget(id),

    async list(owner: string, limit: number, before: string | undefined): Promise<WorkspaceRow[]> {
      const [created, id] = before?.split("~") ?? [];
      const older =
        created && id
          ? or(
              lt(workspaces.createdAt, new Date(created)),
              and(eq(workspaces.createdAt, new Date(created)), lt(workspaces.id, id)),
            )
          : undefined;
      const rows = await db
        .select()
        .from(workspaces)
        .where(and(eq(workspaces.ownerId, owner), older))
        .orderBy(desc(workspaces.createdAt), desc(workspaces.id))
        .limit(limit);
      return rows.map(branded);
    },

    /** Workspaces that this replica began to fill from an archive, and did not finish. */
    async importedBy(replica: string): Promise<WorkspaceRow[]> {
      return (await db.select().from(workspaces).where(eq(workspaces.importedBy, replica))).map(branded);
    },

    async all(): Promise<WorkspaceRow[]> {
      return (await db.select().from(workspaces)).map(branded);
    },

    /**
     * Changes the row, and stores what has happened with it, in one statement; while it is being deleted only the deletion may (`evenDeleting`). Undefined when
     * nothing was changed.
     */
    async update(
      id: WorkspaceId,
      change: Partial<NewWorkspaceRow>,
      conditions: UpdateConditions = {},
    ): Promise<WorkspaceRow | undefined> {
      const row = await memory.change(id, async () => {
        const changed = await retry(() => statements.update(id, change, conditions), numberTaken);
        return changed && branded(changed);
      });
      if (row && !conditions.quietly) tell(row);
      return row;
    },

    /** A new epoch, stored before the box of that epoch starts. */
    async nextEpoch(id: WorkspaceId, why: string): Promise<WorkspaceRow | undefined> {
      const row = await memory.change(id, async () => {
        const [changed] = await statements.nextEpoch.execute({ id, why });
        return changed && branded(changed);
      });
      if (row) tell(row);
      return row;
    },

    async remove(id: WorkspaceId): Promise<void> {
      const [row] = await db.delete(workspaces).where(eq(workspaces.id, id)).returning();
      memory.forget(id);
      if (!row) return;
      await noteChange(db, { owner: row.ownerId, resource: "workspace", id, workspace: id });
      tell(branded(row));
    },
  };
}

function isNumberTaken(error: unknown): boolean {
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  return cause instanceof pg.DatabaseError && cause.constraint === "workspace_events_pkey";
}

export type WorkspaceStore = ReturnType<typeof createWorkspaceStore>;
