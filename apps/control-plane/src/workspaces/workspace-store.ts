import { and, desc, DrizzleQueryError, eq, lt, ne, or, sql } from "drizzle-orm";
import pg from "pg";
import { retry, type Backoff } from "@alcove/base/retry";
import type { BoxStateName } from "@alcove/contract/api/workspace";
import type { WorkspaceEventBody } from "@alcove/contract/api/workspace-event";
import { CodedError } from "@alcove/contract/errors";
import { isId, parseId, type WorkspaceId } from "@alcove/contract/ids";
import type { Db } from "../database/database.ts";
import { workspaces } from "../database/schema.ts";
import { noteChange } from "../events/notices.ts";
import { replicasTopic, type Wake } from "../events/wake.ts";
import { eventText } from "./event-text.ts";
import { createRowMemory } from "./row-memory.ts";

export type WorkspaceRow = typeof workspaces.$inferSelect & { id: WorkspaceId };

interface UpdateConditions {
  /** Only while this is the row's epoch. */
  readonly epoch?: number;
  /** Only while the box is in this state. */
  readonly box?: BoxStateName;
  readonly evenDeleting?: boolean;
  /** Nobody is told: for what nobody sees. */
  readonly quietly?: boolean;
  /** Stored with the change, if there is one. */
  readonly happened?: WorkspaceEventBody | undefined;
}

/** Another event of the workspace took its number at the same moment. */
const numberTaken: Backoff = { attempts: 6, firstMs: 1, longestMs: 20, worthIt: isNumberTaken };

/** How many events of each workspace are kept. */
export const keptEvents = 1_000;

/** Rows of workspaces; each change tells those who wait for it. While this replica is `alone`, rows that people use are remembered. */
export function createWorkspaceStore({ db, wake, alone }: { db: Db; wake: Wake; alone: () => boolean }) {
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

  // Each request asks one of these: they are built, and parsed by the database, once.
  const byId = db
    .select()
    .from(workspaces)
    .where(eq(workspaces.id, sql.placeholder("id")))
    .prepare("workspace_by_id");
  const byName = db
    .select()
    .from(workspaces)
    .where(and(eq(workspaces.ownerId, sql.placeholder("owner")), eq(workspaces.name, sql.placeholder("name"))))
    .prepare("workspace_by_name");

  /** What is stored in the statement that stores the row, which it calls `source`: whoever waits waits for one way to the database. */
  const alongside = (
    source: "made" | "changed",
    { quietly = false, happened }: Pick<UpdateConditions, "quietly" | "happened">,
  ) => {
    const from = sql.identifier(source);
    const told = sql`insert into notices (owner_id, resource, resource_id, workspace_id) select owner_id, 'workspace', id, id from ${from}`;
    if (!happened) return quietly ? [] : [db.$with("told", {}).as(told)];
    const last = sql`select coalesce(max(seq), 0) from workspace_events where workspace_id = ${from}.id`;
    const { kind, data } = happened;
    return [
      db.$with("told", {}).as(told),
      db
        .$with("happened", {})
        .as(
          sql`insert into workspace_events (workspace_id, seq, kind, text, data) select id, (${last}) + 1, ${kind}, ${eventText(happened)}, ${JSON.stringify(data)}::jsonb from ${from}`,
        ),
      db
        .$with("expired", {})
        .as(
          sql`delete from workspace_events using ${from} where workspace_id = ${from}.id and seq <= (${last}) + 1 - ${keptEvents}::int`,
        ),
    ];
  };

  const insert = async (
    row: typeof workspaces.$inferInsert,
    first?: WorkspaceEventBody,
  ): Promise<WorkspaceRow | undefined> => {
    const made = db.$with("made").as(
      db
        .insert(workspaces)
        .values(row)
        .onConflictDoNothing({ target: [workspaces.ownerId, workspaces.name] })
        .returning(),
    );
    const [fresh] = await db
      .with(made, ...alongside("made", { happened: first }))
      .select()
      .from(made);
    return fresh && branded(fresh);
  };

  const update = async (
    id: WorkspaceId,
    change: Partial<typeof workspaces.$inferInsert>,
    { epoch, box, evenDeleting = false, quietly = false, happened }: UpdateConditions,
  ): Promise<WorkspaceRow | undefined> => {
    const changed = db.$with("changed").as(
      db
        .update(workspaces)
        .set(change)
        .where(
          and(
            eq(workspaces.id, id),
            epoch === undefined ? undefined : eq(workspaces.epoch, epoch),
            box === undefined ? undefined : eq(workspaces.box, box),
            evenDeleting ? undefined : ne(workspaces.state, "deleting"),
          ),
        )
        .returning(),
    );
    const [row] = await db
      .with(changed, ...alongside("changed", { quietly, happened }))
      .select()
      .from(changed);
    return row && branded(row);
  };

  const readById = async (id: string): Promise<WorkspaceRow | undefined> => {
    const [row] = await byId.execute({ id });
    return row && branded(row);
  };

  const readByName = async (owner: string, name: string): Promise<WorkspaceRow | undefined> => {
    const [row] = await byName.execute({ owner, name });
    return row && branded(row);
  };

  return {
    /** Stores the workspace with the first thing that happened to it, if there is one, in one statement: whoever makes it waits for each way to the database. */
    async insert(row: typeof workspaces.$inferInsert, first?: WorkspaceEventBody): Promise<WorkspaceRow> {
      const inserted = await memory.change(row.id, () => insert(row, first));
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

    /** Rows were changed elsewhere than here. */
    forget: () => memory.forget(),

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

    async all(): Promise<WorkspaceRow[]> {
      return (await db.select().from(workspaces)).map(branded);
    },

    /**
     * Changes the row, and stores what has happened with it, in one statement; while it is being deleted only the deletion may (`evenDeleting`). Undefined when
     * nothing was changed.
     */
    async update(
      id: WorkspaceId,
      change: Partial<typeof workspaces.$inferInsert>,
      conditions: UpdateConditions = {},
    ): Promise<WorkspaceRow | undefined> {
      const row = await memory.change(id, () => retry(() => update(id, change, conditions), numberTaken));
      if (row && !conditions.quietly) tell(row);
      return row;
    },

    /** A new epoch, stored before the box of that epoch starts. */
    async nextEpoch(id: WorkspaceId, why: string): Promise<WorkspaceRow | undefined> {
      const row = await memory.change(id, async () => {
        const [changed] = await db
          .update(workspaces)
          .set({ epoch: sql`${workspaces.epoch} + 1`, box: "starting", why, error: null })
          .where(and(eq(workspaces.id, id), ne(workspaces.state, "deleting")))
          .returning();
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
