import { DrizzleQueryError } from "drizzle-orm";
import pg from "pg";

/** SQLSTATE classes of a server that does not serve: connection lost, no resources, shut down or starting (PostgreSQL, appendix A). */
const outageClasses = new Set(["08", "53", "57"]);
const networkCodes = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "ETIMEDOUT"]);

/** True when the error says that the database does not answer, rather than that the query was wrong. */
export function isDatabaseOutage(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return outageClasses.has(error.code?.slice(0, 2) ?? "");
  if (error instanceof DrizzleQueryError)
    return !(error.cause instanceof pg.DatabaseError) || isDatabaseOutage(error.cause);
  return (
    error instanceof Error &&
    "syscall" in error &&
    error.syscall === "connect" &&
    "code" in error &&
    networkCodes.has(String(error.code))
  );
}
