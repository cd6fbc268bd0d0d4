import type pg from "pg";
import { sql } from "drizzle-orm";
import type { ChangeNotice } from "@alcove/contract/api/event";
import type { Db, Transaction } from "../database/database.ts";

export interface OwnedNotice extends ChangeNotice {
  readonly owner: string;
}

/** Writes that a resource changed, in the transaction of the change itself. */
export async function noteChange(tx: Db | Transaction, notice: OwnedNotice): Promise<void> {
  await tx.execute(
    sql`insert into notices (owner_id, resource, resource_id, workspace_id) values (${notice.owner}, ${notice.resource}, ${notice.id}, ${notice.workspace})`,
  );
}

/** `<transaction>.<row>`: everything before it has been shown. */
export type NoticeCursor = string;

interface NoticeRow {
  xid: string;
  id: string;
  resource: ChangeNotice["resource"];
  resource_id: string;
  workspace_id: string | null;
}

/** The newest cursor that is final. */
export async function newestCursor(pool: pg.Pool): Promise<NoticeCursor> {
  const result = await pool.query<{ xmin: string }>("select pg_snapshot_xmin(pg_current_snapshot())::text as xmin");
  return `${result.rows[0]?.xmin ?? "0"}.0`;
}

/** Notices of one owner behind the cursor, oldest first, at most 500; rows of transactions that still run are left for later. */
export async function noticesAfter(
  pool: pg.Pool,
  owner: string,
  cursor: NoticeCursor,
): Promise<{ cursor: NoticeCursor; notice: ChangeNotice }[]> {
  const [xid = "0", id = "0"] = cursor.split(".");
  const result = await pool.query<NoticeRow>(
    `select xid::text, id::text, resource, resource_id, workspace_id from notices
     where owner_id = $1 and (xid, id) > ($2::text::xid8, $3::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
     order by xid, id limit 500`,
    [owner, xid, id],
  );
  return result.rows.map((row) => ({
    cursor: `${row.xid}.${row.id}`,
    notice: { resource: row.resource, id: row.resource_id, workspace: row.workspace_id },
  }));
}

export function isNoticeCursor(text: string): boolean {
  return /^\d{1,20}\.\d{1,19}$/.test(text);
}
