import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { journalEntrySchema, type JournalEntry } from "@alcove/contract/box/run";
import { newId } from "@alcove/contract/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { followRun, journalOf, processesOf, saidIn, scriptedRun } from "../testing/run-agent.ts";
import { startDaemon, type TestDaemon } from "../testing/start-daemon.ts";

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon[Symbol.asyncDispose]());

const put = (spec: ReturnType<typeof scriptedRun>) => daemon.call("PUT", `/v1/runs/${spec.run}`, { body: spec });
const journalFile = (run: string) => join(daemon.root, "system/state/runs", run, "journal.ndjson");

async function until(run: string, found: (entry: JournalEntry) => boolean): Promise<JournalEntry> {
  for await (const entry of followRun(daemon, run)) if (found(entry)) return entry;
  throw new Error("The run has ended before");
}

/** Pid of the process that owns the run's journal. */
function sessionProcess(run: string): number {
  const agent = processesOf(run)[0];
  const stat = readFileSync(`/proc/${agent}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

test("a run's journal has every update once, in order, and fits the contract", async () => {
  const spec = scriptedRun("count 500");
  expect((await put(spec)).status).toBe(201);
  const entries = await journalOf(daemon, spec.run);
  expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1));
  for (const entry of entries) journalEntrySchema.parse(entry);
  expect(entries[0]).toMatchObject({ type: "started", how: "new" });
  expect(saidIn(entries)).toBe(`${Array.from({ length: 500 }, (_, index) => `${index + 1} `).join("")}500`);
  expect(entries.at(-1)).toMatchObject({ type: "end", outcome: "done", stopReason: "end_turn" });
});

test("a reader that comes back gets what is behind its last entry", async () => {
  const spec = scriptedRun("count 20");
  await put(spec);
  const all = await journalOf(daemon, spec.run);
  expect(await journalOf(daemon, spec.run, 7)).toEqual(all.slice(7));
});

test("the same run put again starts nothing", async () => {
  const prompts = join(daemon.root, "prompts");
  const spec = scriptedRun("say once", { env: { PROMPTS: prompts } });
  expect((await put(spec)).status).toBe(201);
  expect((await put(spec)).status).toBe(200);
  await journalOf(daemon, spec.run);
  expect((await put(spec)).status).toBe(200);
  expect(readFileSync(prompts, "utf8")).toBe("say once\n");
});

test.each([
  ["resumed", {}, "second"],
  ["loaded", { NO_RESUME: "1" }, "second"],
  ["lost", { NO_RESUME: "1", NO_LOAD: "1" }, "second"],
] as const)("the next run of a session is %s, and no history enters its journal", async (how, env, said) => {
  const session = newId("session");
  const first = scriptedRun("say first", { session, env });
  await put(first);
  await journalOf(daemon, first.run);
  const second = scriptedRun(`say ${said}`, { session, env });
  await put(second);
  const entries = await journalOf(daemon, second.run);
  expect(entries[0]).toMatchObject({ type: "started", how });
  expect(saidIn(entries)).toBe(said);
});

test("two runs of one session take turns", async () => {
  const session = newId("session");
  const first = scriptedRun("hang", { session });
  const second = scriptedRun("say after", { session });
  await put(first);
  await until(first.run, (entry) => entry.type === "update");
  await put(second);
  expect(existsSync(journalFile(second.run)) ? readFileSync(journalFile(second.run), "utf8") : "").toBe("");
  await daemon.call("POST", `/v1/runs/${first.run}/cancel`);
  expect((await journalOf(daemon, second.run)).at(-1)).toMatchObject({ outcome: "done" });
});

test("a question waits for its answer, which counts once", async () => {
  const spec = scriptedRun("ask", { mode: "ask" });
  await put(spec);
  const asked = await until(spec.run, (entry) => entry.type === "permission");
  if (asked.type !== "permission") throw new Error("no question");
  const answer = (option: string) =>
    daemon.call("POST", `/v1/runs/${spec.run}/permissions/${asked.id}`, { body: { option } });
  expect((await answer("maybe")).json()).toMatchObject({ code: "bad_request" });
  expect((await answer("yes")).status).toBe(200);
  expect((await answer("no")).json()).toMatchObject({ code: "approval_answered" });
  const entries = await journalOf(daemon, spec.run);
  expect(entries).toContainEqual(
    expect.objectContaining({ type: "permission_result", outcome: { outcome: "selected", optionId: "yes" } }),
  );
  expect(saidIn(entries)).toContain('"optionId":"yes"');
  expect((await answer("no")).json()).toMatchObject({ code: "approval_answered" });
});

test("in mode process nobody is asked", async () => {
  const spec = scriptedRun("ask");
  await put(spec);
  const entries = await journalOf(daemon, spec.run);
  expect(entries.map((entry) => entry.type)).not.toContain("permission");
  expect(saidIn(entries)).toContain('"optionId":"yes"');
});

test("a cancelled run withdraws its question and leaves no process behind", async () => {
  const spec = scriptedRun("ask", { mode: "ask" });
  await put(spec);
  const asked = await until(spec.run, (entry) => entry.type === "permission");
  expect((await daemon.call("POST", `/v1/runs/${spec.run}/cancel`)).status).toBe(200);
  const entries = await journalOf(daemon, spec.run);
  expect(entries).toContainEqual(
    expect.objectContaining({ type: "permission_result", outcome: { outcome: "cancelled" } }),
  );
  expect(entries.at(-1)).toMatchObject({ type: "end", outcome: "cancelled" });
  expect(processesOf(spec.run)).toEqual([]);
  const id = asked.type === "permission" ? asked.id : "";
  const late = await daemon.call("POST", `/v1/runs/${spec.run}/permissions/${id}`, { body: { option: "yes" } });
  expect(late.json()).toMatchObject({ code: "approval_expired" });
});

test("an agent that is killed ends its run as died, and what it had started dies too", async () => {
  const spec = scriptedRun("hang");
  await put(spec);
  await until(spec.run, (entry) => entry.type === "update");
  const agent = processesOf(spec.run)[0];
  if (agent === undefined) throw new Error("no agent");
  process.kill(agent, "SIGKILL");
  const entries = await journalOf(daemon, spec.run);
  expect(entries.at(-1)).toMatchObject({ type: "end", outcome: "died", exitCode: null, signal: "SIGKILL" });
  expect(processesOf(spec.run)).toEqual([]);
});

test("an agent that fails says how", async () => {
  const spec = scriptedRun("fail");
  await put(spec);
  expect((await journalOf(daemon, spec.run)).at(-1)).toMatchObject({
    type: "end",
    outcome: "failed",
    code: "agent_failed",
    raw: { code: -32603, message: expect.stringContaining("the model is away") },
  });
});

test("an agent whose program is missing fails with a code", async () => {
  const spec = scriptedRun("say hi");
  const broken = { ...spec, agent: { ...spec.agent, command: ["/nowhere/agent"] } };
  await put(broken);
  expect((await journalOf(daemon, spec.run)).at(-1)).toMatchObject({
    type: "end",
    outcome: "failed",
    code: "agent_failed",
  });
});

test("a line that is not JSON is kept and disturbs nothing", async () => {
  const spec = scriptedRun("stray");
  await put(spec);
  const entries = await journalOf(daemon, spec.run);
  expect(entries).toContainEqual(expect.objectContaining({ type: "stray", line: "this is not JSON" }));
  expect(entries.at(-1)).toMatchObject({ outcome: "done" });
});

test("a run goes on while the daemon is killed, and its journal is whole afterwards", async () => {
  const spec = scriptedRun("ask", { mode: "ask" });
  await put(spec);
  const asked = await until(spec.run, (entry) => entry.type === "permission");
  process.kill(daemon.servePid(), "SIGKILL");
  await daemon.answering();
  const id = asked.type === "permission" ? asked.id : "";
  expect(
    (await daemon.call("POST", `/v1/runs/${spec.run}/permissions/${id}`, { body: { option: "yes" } })).status,
  ).toBe(200);
  const entries = await journalOf(daemon, spec.run);
  expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1));
  expect(entries.at(-1)).toMatchObject({ outcome: "done" });
});

test("a run whose own process is killed gets its end when somebody looks, behind whole lines only", async () => {
  const spec = scriptedRun("hang");
  await put(spec);
  await until(spec.run, (entry) => entry.type === "update");
  const session = sessionProcess(spec.run);
  appendFileSync(journalFile(spec.run), '{"seq":3,"at":"2026-01-01T00:00:00.000Z","type":"upd');
  process.kill(session, "SIGKILL");
  const entries = await journalOf(daemon, spec.run);
  expect(entries.map((entry) => entry.seq)).toEqual([1, 2, 3]);
  expect(entries.at(-1)).toMatchObject({ type: "end", outcome: "died" });
  expect(processesOf(spec.run)).toEqual([]);
  expect(readFileSync(journalFile(spec.run), "utf8").trimEnd().split("\n")).toHaveLength(3);
});

test("a reader that saw more than a power cut has left still gets an end", async () => {
  const spec = scriptedRun("count 5");
  await put(spec);
  const all = await journalOf(daemon, spec.run);
  const lines = readFileSync(journalFile(spec.run), "utf8").split("\n");
  truncateSync(journalFile(spec.run), `${lines.slice(0, 3).join("\n")}\n`.length);
  const late = await journalOf(daemon, spec.run, all.length - 1);
  expect(late).toEqual([expect.objectContaining({ seq: all.length, type: "end", outcome: "died" })]);
});

test("an unknown run is not found", async () => {
  expect((await daemon.call("GET", `/v1/runs/${newId("run")}/journal`)).status).toBe(404);
  expect((await daemon.call("POST", `/v1/runs/../x/cancel`)).status).toBe(404);
});
