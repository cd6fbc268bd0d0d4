import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "@alcove/contract/ids";
import { startTestDatabase, type TestDatabase } from "../../../../tests/fixtures/database.ts";
import { createWake } from "../events/wake.ts";
import { createWorkspaceEvents } from "./workspace-events.ts";
import { createWorkspaceStore, type WorkspaceStore } from "./workspace-store.ts";

let base: TestDatabase;
let store: WorkspaceStore;
beforeAll(async () => {
  base = await startTestDatabase();
  store = createWorkspaceStore({ db: base.database.db, wake: base.wake, alone: () => true });
});
afterAll(() => base[Symbol.asyncDispose]());

const make = (owner: string, name: string) =>
  store.insert({ id: newId("workspace"), ownerId: owner, name, state: "creating", why: "", runtime: "embedded" });

test("somebody else's workspace is answered like one that is not there, by id and by name", async () => {
  const own = await make("usr_a", "mine");
  const foreign = await store.owned("usr_b", own.id).catch((error: unknown) => error);
  const unknown = await store.owned("usr_b", newId("workspace")).catch((error: unknown) => error);
  expect(foreign).toMatchObject({ code: "not_found" });
  expect(unknown).toMatchObject({ code: "not_found" });
  await expect(store.owned("usr_b", "mine")).rejects.toMatchObject({ code: "not_found" });
  expect(await store.owned("usr_a", "mine")).toMatchObject({ id: own.id });
  expect(await store.list("usr_b", 10, undefined)).toEqual([]);
});

test("two owners may use the same name, one owner only once", async () => {
  await make("usr_c", "same");
  await make("usr_d", "same");
  await expect(make("usr_c", "same")).rejects.toMatchObject({ code: "name_taken" });
});

test("a box of an older epoch changes nothing, and nothing but its deletion changes a workspace that is being deleted", async () => {
  const { id } = await make("usr_e", "epochs");
  await store.nextEpoch(id, "Starting");
  const second = await store.nextEpoch(id, "Starting");
  expect(second?.epoch).toBe(2);
  expect(await store.update(id, { box: "running" }, { epoch: 1 })).toBeUndefined();
  expect(await store.update(id, { box: "running" }, { epoch: 2 })).toMatchObject({ box: "running" });
  await store.update(id, { state: "deleting" }, { evenDeleting: true });
  expect(await store.update(id, { state: "ready" })).toBeUndefined();
  expect(await store.nextEpoch(id, "Starting")).toBeUndefined();
  await store.remove(id);
  expect(await store.byId(id)).toBeUndefined();
});

test("what happens with changes at the same moment is numbered without a gap, and the newest thousand are kept", async () => {
  const { id } = await make("usr_h", "busy");
  const { db, pool } = base.database;
  await pool.query(
    "insert into workspace_events (workspace_id, seq, kind, text, data) select $1, seq, 'changed', '', '{}' from generate_series(1, 995) seq",
    [id],
  );
  const events = createWorkspaceEvents({ db, wake: base.wake });
  const started = (epoch: number) => ({ kind: "box.started" as const, data: { epoch, why: "Awake" } });
  await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      at % 2 ? events.append(id, started(at)) : store.update(id, { why: `${at}` }, { happened: started(at) }),
    ),
  );
  const kept = await pool.query<{ seq: number }>(
    "select seq from workspace_events where workspace_id = $1 order by seq",
    [id],
  );
  expect(kept.rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 1_000 }, (_, at) => at + 6));
});

test("what another replica changes is seen as soon as it says so", async () => {
  await using otherWake = createWake({ databaseUrl: base.url, pool: base.database.pool, log: base.log });
  const other = createWorkspaceStore({ db: base.database.db, wake: otherWake, alone: () => false });
  const { id } = await make("usr_g", "shared");
  const heard = new Promise<void>((resolve) => {
    base.wake.onForeign((topic) => {
      if (topic === `workspace:${id}`) resolve();
    });
  });
  expect(await store.current(id)).toMatchObject({ name: "shared" });
  await other.update(id, { name: "renamed" });
  await heard;
  expect(await store.current(id)).toMatchObject({ name: "renamed" });
  await expect(store.owned("usr_g", "shared")).rejects.toMatchObject({ code: "not_found" });
});

test("pages of the list follow each other without a gap or a repeat", async () => {
  const made = [];
  for (let at = 0; at < 5; at += 1) made.push(await make("usr_f", `page-${at}`));
  const first = await store.list("usr_f", 2, undefined);
  const last = first.at(-1);
  const rest = await store.list("usr_f", 10, `${last?.createdAt.toISOString()}~${last?.id}`);
  expect([...first, ...rest].map(({ id }) => id).toSorted()).toEqual(made.map(({ id }) => id).toSorted());
});
