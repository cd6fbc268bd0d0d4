import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunEvent } from "../packages/contract/src/api/event.ts";
import { hasEnded, type Run } from "../packages/contract/src/api/run.ts";
import type { Client } from "../packages/sdk/src/client.ts";
import { type FakeModel, startFakeModel } from "./fakes/model/fake-model.ts";
import { type Script, scriptedPrompt } from "./fakes/model/script.ts";
import { installedAgents } from "./fixtures/agents.ts";
import { type ControlPlaneProcess, startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

let alcove: TestAlcove;
let model: FakeModel;
let plane: ControlPlaneProcess;
beforeAll(async () => {
  model = await startFakeModel();
  alcove = await startTestAlcove({ agents: await installedAgents() });
  plane = alcove.plane;
  await plane.client.providers.put("anthropic", { kind: "anthropic", baseUrl: model.url, key: model.key });
  await plane.client.workspaces.create({ name: "lab" });
  await plane.client.workspaces.start("lab");
});
afterAll(async () => {
  await alcove[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

/** About two seconds of work in which text, a command and a file come one after the other. */
const work = (mark: string): Script => [
  { delay: 40 },
  { think: `thinking about ${mark} for a while` },
  { say: `I begin with ${mark} and look at what is here.` },
  { shell: `echo ${mark} >> log.txt; sleep 0.3` },
  { say: `Now I write the file of ${mark} down.` },
  { write: { path: `${mark}.md`, content: `# ${mark}\n` } },
  { say: `Done with ${mark}.` },
];

async function storedEvents(client: Client, run: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const item of client.runs.events(run)) if (item.type === "event") events.push(item.event);
  return events;
}

function expectWhole(events: readonly RunEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
  const items = events.flatMap((event) => ("item" in event.data ? [event.data.item] : []));
  expect(new Set(items).size).toBe(items.length);
  expect(events.filter((event) => event.kind === "run.state" && hasEnded(event.data.state))).toHaveLength(1);
}

const textOf = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.kind === "agent_message" ? [event.data.text] : []));

async function begin(client: Client, mark: string, script = work(mark)): Promise<Run> {
  return client.runs.create(
    { workspace: "lab", agent: "claude-code", prompt: scriptedPrompt(`Work on ${mark}.`, script) },
    { idempotencyKey: mark },
  );
}

/** Resolves when the run's stream has given so many items; the stream may end before. */
async function afterItems(client: Client, run: string, count: number): Promise<void> {
  let seen = 0;
  for await (const _ of client.runs.events(run)) {
    seen += 1;
    if (seen >= count) return;
  }
}

test("a run survives ten kills of the control plane at random moments, with every event once and in order", async () => {
  const moments = Array.from({ length: 10 }, () => 1 + Math.floor(Math.random() * 60));
  console.log(`killed after items: ${moments.join(", ")}`);
  for (const [at, count] of moments.entries()) {
    const mark = `kill-${at}`;
    const run = await begin(plane.client, mark);
    await afterItems(plane.client, run.id, count);
    await plane.kill();
    plane = await alcove.startControlPlane();
    expect((await begin(plane.client, mark)).id).toBe(run.id);
    const events = await storedEvents(plane.client, run.id);
    expectWhole(events);
    const ended = await plane.client.runs.get(run.id);
    expect([ended.state, ended.error]).toEqual(["succeeded", null]);
    // An agent whose answer was cut may say so in a line of its own before it goes on.
    expect(textOf(events).at(-1)).toMatch(new RegExp(`Done with ${mark}\\.$`));
    expect(ended.files.map((file) => file.path)).toContain(`user/projects/${mark}.md`);
  }
  const log = await (await plane.client.files.read("lab", "user/projects/log.txt")).text();
  expect(log.trim().split("\n")).toEqual(moments.map((_, at) => `kill-${at}`));
});

test("a run survives a kill of PostgreSQL", async () => {
  const run = await begin(plane.client, "postgres");
  await afterItems(plane.client, run.id, 12);
  const [pid] = readFileSync(postmasterFile(), "utf8").split("\n");
  process.kill(Number(pid), "SIGKILL");
  const events = await storedEvents(plane.client, run.id);
  expectWhole(events);
  expect((await plane.client.runs.get(run.id)).state).toBe("succeeded");
});

test("a run survives a kill of the daemon", async () => {
  const run = await begin(plane.client, "daemon");
  await afterItems(plane.client, run.id, 12);
  const killed = await plane.client.workspaces
    .execAndWait("lab", { command: ["pkill", "-KILL", "-f", "alcove-daemon serve"] })
    .catch(() => null);
  expect(killed?.exitCode ?? 0).not.toBe(1);
  const events = await storedEvents(plane.client, run.id);
  expectWhole(events);
  expect((await plane.client.runs.get(run.id)).state).toBe("succeeded");
});

test("a run whose agent was killed says so, and the conversation can be continued", async () => {
  const run = await begin(plane.client, "agent");
  await afterItems(plane.client, run.id, 12);
  await plane.client.workspaces.execAndWait("lab", { command: ["pkill", "-KILL", "-f", "claude"] });
  const events = await storedEvents(plane.client, run.id);
  expectWhole(events);
  const ended = await plane.client.runs.get(run.id);
  expect(ended).toMatchObject({
    state: "interrupted",
    error: { code: "agent_died", hint: expect.stringContaining("continue") },
  });
  const next = await plane.client.runs.create({
    session: run.session,
    prompt: scriptedPrompt("Go on.", [{ say: "Going on." }]),
  });
  expect(textOf(await storedEvents(plane.client, next.id))).toEqual(["Going on."]);
  expect((await plane.client.runs.get(next.id)).state).toBe("succeeded");
});

test("a run can be cancelled while it works and while it is queued", async () => {
  const first = await begin(plane.client, "cancel", [
    { delay: 40 },
    { say: "I sleep now." },
    { shell: "tail -f /dev/null" },
  ]);
  const queued = await plane.client.runs.create({ session: first.session, prompt: "never begun" });
  await afterItems(plane.client, first.id, 12);
  await plane.client.runs.cancel(queued.id);
  expect(await plane.client.runs.get(queued.id)).toMatchObject({ state: "cancelled" });
  await plane.client.runs.cancel(first.id);
  const ended = await plane.client.runs.get(first.id, { waitSeconds: 30 });
  expect(ended.state).toBe("cancelled");
  expectWhole(await storedEvents(plane.client, first.id));
  await expect
    .poll(
      async () =>
        (await plane.client.workspaces.execAndWait("lab", { command: ["pgrep", "-f", "tail -f /dev/null"] })).exitCode,
      { timeout: 15_000 },
    )
    .toBe(1);
  await expect(plane.client.runs.cancel(first.id)).rejects.toMatchObject({ code: "run_finished" });
});

test("another control plane on the same database finishes the run of one that was killed", async () => {
  const other = await alcove.startControlPlane();
  const run = await begin(plane.client, "two");
  await afterItems(plane.client, run.id, 12);
  await plane.kill();
  const events = await storedEvents(other.client, run.id);
  expectWhole(events);
  expect((await other.client.runs.get(run.id)).state).toBe("succeeded");
  plane = other;
});

test("when the workspaces are deleted no process, mount, cgroup or folder of theirs is left", async () => {
  const { id } = await plane.client.workspaces.get("lab");
  await plane.client.workspaces.delete("lab");
  await expect
    .poll(
      () =>
        plane.client.workspaces.get("lab").then(
          () => "there",
          () => "gone",
        ),
      { timeout: 30_000 },
    )
    .toBe("gone");
  const left = execFileSync(
    "sh",
    [
      "-c",
      `{ cat /proc/mounts; find /sys/fs/cgroup "${alcove.data}" -name '*${id}*' -not -path '*/logs/*' 2>/dev/null; grep -la "${id}" /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null; } | grep -- "${id}" || true`,
    ],
    { encoding: "utf8" },
  );
  expect(left).toBe("");
});

function postmasterFile(): string {
  const found = execFileSync("find", [path.join(alcove.data, "postgres"), "-name", "postmaster.pid"], {
    encoding: "utf8",
  });
  return found.trim();
}
