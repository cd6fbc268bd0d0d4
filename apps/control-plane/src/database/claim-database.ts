import { CodedError } from "@alcove/contract/errors";
import type pg from "pg";

/**
 * Ties the database to the data directory with this mark; the first to come has it. A server with other files would make empty boxes of the workspaces
 * that it finds in there. Code: `database_taken`.
 */
export async function claimDatabase(pool: pg.Pool, mark: string): Promise<void> {
  await pool.query("insert into installation (mark) values ($1) on conflict do nothing", [mark]);
  const { rows } = await pool.query<{ mark: string }>("select mark from installation");
  if (rows[0]?.mark !== mark) throw new CodedError("database_taken");
}
