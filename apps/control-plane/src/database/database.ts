import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
import { CodedError } from "@alcove/contract/errors";
import * as schema from "./schema.ts";

export type Db = NodePgDatabase<typeof schema>;
export type Transaction = Parameters<Parameters<Db["transaction"]>[0]>[0];

export interface Database extends AsyncDisposable {
  readonly db: Db;
  readonly pool: pg.Pool;
  readonly url: string;
}

const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));
/** Key of the advisory lock that only one replica holds while it migrates. */
const migrationLock = 7_700_001;

/** A pool on the database, migrated. Errors: `database_unreachable`, `database_newer`. */
export async function openDatabase(url: string, onError: (error: Error) => void): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 12,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
  });
  pool.on("error", onError);
  try {
    await underMigrationLock(pool, async (client) => {
      await refuseNewer(client);
      await migrate(drizzle(client), { migrationsFolder });
    });
  } catch (error) {
    await pool.end();
    if (error instanceof CodedError) throw error;
    throw new CodedError("database_unreachable", `Cannot open the database: ${messageOf(error)}`, { cause: error });
  }
  return { db: drizzle(pool, { schema }), pool, url, [Symbol.asyncDispose]: () => pool.end() };
}

/** Runs `work` while no other replica migrates. */
export async function underMigrationLock<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [migrationLock]);
    try {
      return await work(client);
    } finally {
      await client.query("select pg_advisory_unlock($1)", [migrationLock]);
    }
  } finally {
    client.release();
  }
}

async function refuseNewer(client: pg.PoolClient): Promise<void> {
  const journal: unknown = JSON.parse(await readFile(`${migrationsFolder}/meta/_journal.json`, "utf8"));
  const known = newestMigration(journal);
  const present = await client.query<{ there: string | null }>(
    "select to_regclass('drizzle.__drizzle_migrations') as there",
  );
  if (!present.rows[0]?.there) return;
  const applied = await client.query<{ newest: string | null }>(
    "select max(created_at) as newest from drizzle.__drizzle_migrations",
  );
  if (Number(applied.rows[0]?.newest ?? 0) > known) throw new CodedError("database_newer");
}

function newestMigration(journal: unknown): number {
  if (typeof journal !== "object" || journal === null || !("entries" in journal) || !Array.isArray(journal.entries))
    return 0;
  return Math.max(
    0,
    ...journal.entries.map((entry: { when?: unknown }) => (typeof entry.when === "number" ? entry.when : 0)),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
