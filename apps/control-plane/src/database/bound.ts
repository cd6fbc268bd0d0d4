import { Param, sql, type Column, type SQL } from "drizzle-orm";

/** A value of the column that each execution of a prepared statement is given under this name; null is stored as null. */
export function bound(name: string, column: Column): SQL {
  const encoder = {
    mapToDriverValue: (value: unknown) => (value === null ? null : column.mapToDriverValue(value)),
  };
  return sql`${new Param<unknown, unknown>(sql.placeholder(name), encoder)}`;
}
