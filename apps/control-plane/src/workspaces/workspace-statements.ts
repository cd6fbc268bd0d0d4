import { and, eq, getTableColumns, ne, sql } from "drizzle-orm";
import type { BoxStateName } from "@alcove/contract/api/workspace";
import type { WorkspaceEventBody } from "@alcove/contract/api/workspace-event";
import { bound } from "../database/bound.ts";
import type { Db } from "../database/database.ts";
import { workspaces } from "../database/schema.ts";
import { eventText } from "./event-text.ts";

/** How many events of each workspace are kept. */
export const keptEvents = 1_000;

export interface UpdateConditions {
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

export type NewWorkspaceRow = typeof workspaces.$inferInsert;

const columns = getTableColumns(workspaces);
/** What a row has of which nothing is said. */
const defaults = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.default ?? null]));

/**
 * The statements that requests wait for, each one way to the database: what is stored brings its notice and its event along. They are built, and parsed by the
 * database, once for each combination of what they store.
 */
export function createWorkspaceStatements(db: Db) {
  const updates = new Map<string, ReturnType<typeof prepareUpdate>>();

  /** What is stored in the same statement, which calls the row's part `source`. */
  const alongside = (source: "made" | "changed", quiet: boolean, happens: boolean) => {
    const isFirst = source === "made";
    const from = sql.identifier(source);
    const told = sql`insert into notices (owner_id, resource, resource_id, workspace_id) select owner_id, 'workspace', id, id from ${from}`;
    const last = isFirst
      ? sql`0`
      : sql`select coalesce(max(seq), 0) from workspace_events where workspace_id = ${from}.id`;
    const happened = sql`insert into workspace_events (workspace_id, seq, kind, text, data) select id, (${last}) + 1, ${sql.placeholder("eventKind")}::text, ${sql.placeholder("eventText")}::text, ${sql.placeholder("eventData")}::jsonb from ${from}`;
    const expired = sql`delete from workspace_events using ${from} where workspace_id = ${from}.id and seq <= (${last}) + 1 - ${sql.raw(String(keptEvents))}`;
    return [
      ...(quiet && !happens ? [] : [db.$with("told", {}).as(told)]),
      ...(happens ? [db.$with("happened", {}).as(happened)] : []),
      ...(happens && !isFirst ? [db.$with("expired", {}).as(expired)] : []),
    ];
  };

  const prepareInsert = (happens: boolean) => {
    const all = Object.entries(columns).map(([name, column]) => [name, bound(name, column)] as const);
    // The two times are the database's.
    const { createdAt: _, activeAt: __, id, ownerId, name, state, why, runtime, ...others } = Object.fromEntries(all);
    if (!id || !ownerId || !name || !state || !why || !runtime) throw new Error("the table lacks a column");
    const made = db.$with("made").as(
      db
        .insert(workspaces)
        .values({ ...others, id, ownerId, name, state, why, runtime })
        .onConflictDoNothing({ target: [workspaces.ownerId, workspaces.name] })
        .returning(),
    );
    return db
      .with(made, ...alongside("made", false, happens))
      .select()
      .from(made)
      .prepare(`workspace_insert_${happens ? "with_event" : "alone"}`);
  };
  const inserts = { withEvent: prepareInsert(true), alone: prepareInsert(false) };

  const prepareUpdate = (
    statement: string,
    change: readonly string[],
    { epoch, box, evenDeleting = false, quietly = false, happened }: UpdateConditions,
  ) => {
    const set = Object.entries(columns)
      .filter(([name]) => change.includes(name))
      .map(([name, column]) => [name, bound(name, column)] as const);
    const changed = db.$with("changed").as(
      db
        .update(workspaces)
        .set(Object.fromEntries(set))
        .where(
          and(
            eq(workspaces.id, sql.placeholder("ofId")),
            epoch === undefined ? undefined : eq(workspaces.epoch, sql.placeholder("ofEpoch")),
            box === undefined ? undefined : eq(workspaces.box, sql.placeholder("ofBox")),
            evenDeleting ? undefined : ne(workspaces.state, "deleting"),
          ),
        )
        .returning(),
    );
    return db
      .with(changed, ...alongside("changed", quietly, happened !== undefined))
      .select()
      .from(changed)
      .prepare(statement);
  };

  const valuesOf = (happened: WorkspaceEventBody | undefined) =>
    happened && {
      eventKind: happened.kind,
      eventText: eventText(happened),
      eventData: JSON.stringify(happened.data),
    };

  return {
    byId: db
      .select()
      .from(workspaces)
      .where(eq(workspaces.id, sql.placeholder("id")))
      .prepare("workspace_by_id"),

    byName: db
      .select()
      .from(workspaces)
      .where(and(eq(workspaces.ownerId, sql.placeholder("owner")), eq(workspaces.name, sql.placeholder("name"))))
      .prepare("workspace_by_name"),

    nextEpoch: db
      .update(workspaces)
      .set({ epoch: sql`${workspaces.epoch} + 1`, box: "starting", why: bound("why", workspaces.why), error: null })
      .where(and(eq(workspaces.id, sql.placeholder("id")), ne(workspaces.state, "deleting")))
      .returning()
      .prepare("workspace_next_epoch"),

    /** The row as it is stored; undefined when its owner has another one of that name. */
    async insert(row: NewWorkspaceRow, happened: WorkspaceEventBody | undefined) {
      const values = { ...defaults, ...withoutUndefined(row), ...valuesOf(happened) };
      const [made] = await (happened ? inserts.withEvent : inserts.alone).execute(values);
      return made;
    },

    /** The row as it is afterwards; undefined when the conditions do not hold. */
    async update(id: string, change: Partial<NewWorkspaceRow>, conditions: UpdateConditions) {
      const values = withoutUndefined(change);
      const { epoch, box, evenDeleting = false, quietly = false, happened } = conditions;
      const names = Object.keys(values).toSorted();
      const shape = [...names, epoch !== undefined, box !== undefined, evenDeleting, quietly, happened !== undefined];
      const key = shape.join(" ");
      const statement = updates.get(key) ?? prepareUpdate(`workspace_update_${updates.size}`, names, conditions);
      updates.set(key, statement);
      const [changed] = await statement.execute({
        ...values,
        ofId: id,
        ofEpoch: epoch,
        ofBox: box,
        ...valuesOf(happened),
      });
      return changed;
    },
  };
}

function withoutUndefined(row: Partial<NewWorkspaceRow>): Partial<NewWorkspaceRow> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}
