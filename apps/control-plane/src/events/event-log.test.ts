import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "@alcove/contract/ids";
import { startTestDatabase, type TestDatabase } from "../../../../tests/fixtures/database.ts";
import { runs, sessions, workspaces } from "../database/schema.ts";
import { createEventLog, type EventLog, StaleLease } from "./event-log.ts";
import { newestCursor, noteChange, noticesAfter } from "./notices.ts";
import { createWake } from "./wake.ts";

let base: TestDatabase;
let events: EventLog;

beforeAll(async () => {
  base = await startTestDatabase();
  events = createEventLog({ db: base.database.db, wake: base.wake });
});
afterAll(() => base[Symbol.asyncDispose]());

async function aRun(): Promise<string> {
  const { db } = base.database;
  const [workspace, session, run] = [newId("workspace"), newId("session"), newId("run")];
  await db.insert(workspaces).values({
    id: workspace,
    ownerId: "usr_a",
    name: workspace.slice(3),
    state: "ready",
    why: "",
    runtime: "embedded",
  });
  await db
    .insert(sessions)
    .values({ id: session, workspaceId: workspace, ownerId: "usr_a", agent: "codex", title: "t" });
  await db.insert(runs).values({
    id: run,
    sessionId: session,
    workspaceId: workspace,
    ownerId: "usr_a",
    agent: "codex",
    mode: "process",
    prompt: "p",
    title: "t",
    state: "running",
    traceId: "t",
    lease: 1,
  });
  return run;
}

const notice = (text: string) => ({ kind: "notice", data: { level: "info", text } }) as const;
const ended = { kind: "run.state", data: { state: "succeeded", error: null } } as const;

test("events of many writers at once are numbered without gaps", async () => {
  const run = await aRun();
  await Promise.all(
    Array.from({ length: 40 }, (_, at) => events.append(run, { lease: 1 }, [notice(`${at}`), notice("x")])),
  );
  const seqs = (await events.read(run, 0)).map((event) => event.seq);
  expect(seqs).toEqual(Array.from({ length: 80 }, (_, at) => at + 1));
});

test("a worker whose lease was taken writes nothing", async () => {
  const run = await aRun();
  await base.database.db.update(runs).set({ lease: 2 }).where(eq(runs.id, run));
  await expect(events.append(run, { lease: 1 }, [notice("late")])).rejects.toThrow(StaleLease);
  await expect(events.append(run, { lease: 2 }, [ended], { state: "succeeded" })).resolves.toMatchObject({
    lastSeq: 1,
  });
  await expect(events.append(run, "any", [notice("after the end")])).rejects.toThrow(StaleLease);
  expect((await events.read(run, 0)).map((event) => event.kind)).toEqual(["run.state"]);
});

test("a follower on another replica sees every event once and ends with the run", async () => {
  const run = await aRun();
  await using otherWake = createWake({ databaseUrl: base.url, pool: base.database.pool, log: base.log });
  const other = createEventLog({ db: base.database.db, wake: otherWake });
  const seen: number[] = [];
  const following = (async () => {
    for await (const batch of other.follow(run, 0, new AbortController().signal))
      seen.push(...batch.map(({ seq }) => seq));
  })();
  for (let at = 0; at < 30; at += 1) await events.append(run, { lease: 1 }, [notice(`${at}`)]);
  await events.append(run, { lease: 1 }, [ended], { state: "succeeded" });
  await following;
  expect(seen).toEqual(Array.from({ length: 31 }, (_, at) => at + 1));
});

test("who stops listening for changes before the line is there waits for nothing", async () => {
  const wake = createWake({ databaseUrl: base.url, pool: base.database.pool, log: base.log });
  expect(wake.listens()).toBe(false);
  await wake[Symbol.asyncDispose]();
  expect(wake.listens()).toBe(false);
});

test("text with NUL characters is stored and readable", async () => {
  const run = await aRun();
  await events.append(run, { lease: 1 }, [notice("a\u0000b")]);
  expect((await events.read(run, 0))[0]?.data).toEqual({ level: "info", text: "a\ufffdb" });
});

test("each change of a run's state is told to its owner, and what changes no state is not", async () => {
  const run = await aRun();
  const { pool } = base.database;
  const cursor = await newestCursor(pool);
  const told = async () =>
    (await noticesAfter(pool, "usr_a", cursor)).map(({ notice: { resource, id } }) => [resource, id]);
  await events.append(run, { lease: 1 }, [notice("nothing new")]);
  expect(await told()).toEqual([]);
  await events.append(run, { lease: 1 }, [], { state: "waiting" });
  await events.append(run, { lease: 1 }, [ended], { state: "succeeded" });
  expect(await told()).toEqual([
    ["run", run],
    ["run", run],
  ]);
});

test("a change in a slow transaction is told although a later one was told before", async () => {
  const { pool, db } = base.database;
  const cursor = await newestCursor(pool);
  const slow = await pool.connect();
  await slow.query("begin");
  await slow.query("insert into notices (owner_id, resource, resource_id) values ('usr_a', 'run', 'slow')");
  await noteChange(db, { owner: "usr_a", resource: "run", id: "fast", workspace: null });
  const first = await noticesAfter(pool, "usr_a", cursor);
  await slow.query("commit");
  slow.release();
  const second = await noticesAfter(pool, "usr_a", first.at(-1)?.cursor ?? cursor);
  expect([...first, ...second].map(({ notice: told }) => told.id).toSorted()).toEqual(["fast", "slow"]);
  expect(await noticesAfter(pool, "usr_b", cursor)).toEqual([]);
});
