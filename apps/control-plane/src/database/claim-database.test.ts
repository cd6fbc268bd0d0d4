import { expect, test } from "vitest";
import { startTestDatabase } from "../../../../tests/fixtures/database.ts";
import { claimDatabase } from "./claim-database.ts";

test("a database belongs to the data directory that came first, also when two come at once", async () => {
  await using own = await startTestDatabase();
  const { pool } = own.database;
  const [first, second] = await Promise.allSettled([claimDatabase(pool, "one"), claimDatabase(pool, "two")]);
  expect([first.status, second.status].toSorted()).toEqual(["fulfilled", "rejected"]);
  const [mark, other] = first.status === "fulfilled" ? ["one", "two"] : ["two", "one"];
  await claimDatabase(pool, mark);
  await expect(claimDatabase(pool, other)).rejects.toMatchObject({ code: "database_taken" });
});
