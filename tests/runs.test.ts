import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunEvent } from "../packages/contract/src/api/event.ts";
import { type FakeModel, startFakeModel } from "./fakes/model/fake-model.ts";
import { installedAgents } from "./fixtures/agents.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

let alcove: TestAlcove;
let model: FakeModel;
beforeAll(async () => {
  model = await startFakeModel();
  alcove = await startTestAlcove({ agents: await installedAgents() });
  const { client } = alcove.plane;
  await client.providers.put("anthropic", { kind: "anthropic", baseUrl: model.url, key: model.key });
  await client.providers.put("openai", { kind: "openai", baseUrl: `${model.url}/v1`, key: model.key });
  await client.workspaces.create({ name: "office" });
  await client.workspaces.start("office");
  await client.files.write("office", "user/projects/notes.md", "ARR 4.26 M, churn 2.9 %\n");
});
afterAll(async () => {
  await alcove[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

async function eventsOf(run: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const item of alcove.plane.client.runs.events(run)) if (item.type === "event") events.push(item.event);
  return events;
}

for (const agent of ["claude-code", "codex", "opencode"]) {
  test(`${agent} turns notes into a document that becomes a deliverable, and the turn can be undone`, async () => {
    const { client } = alcove.plane;
    const run = await client.runs.create({
      workspace: "office",
      agent,
      prompt: "Create a brief investor update about Q4 from notes.md",
    });
    const events = await eventsOf(run.id);
    const ended = await client.runs.get(run.id);
    expect(ended.error).toBeNull();
    expect(ended.state).toBe("succeeded");
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
    const kinds = new Set(events.map(({ kind }) => kind));
    for (const kind of ["agent_message", "tool_call", "tool_call_update", "usage", "checkpoint", "file.changed"])
      expect([...kinds]).toContain(kind);
    const document = ended.files.find((file) => file.path === "user/projects/investor-update-q4.md");
    expect(document).toMatchObject({ change: "added", deliverable: true });
    expect(ended.files.filter((file) => file.deliverable)).toHaveLength(1);
    const text = await fetch(`${alcove.plane.address}${document?.url}`, {
      headers: { authorization: `Bearer ${alcove.secret}` },
    });
    expect(await text.text()).toMatch(/^# /);
    expect(ended.usage.outputTokens).toBeGreaterThan(0);
    expect(ended.text).not.toBe("");

    const undone = await client.runs.undo(run.id);
    expect(undone.reverted).toContain("user/projects/investor-update-q4.md");
    const left = await client.files.list("office", "user/projects");
    expect(left.items.map(({ name }) => name)).toEqual(["notes.md"]);
    expect((await client.runs.get(run.id)).undo).toBe("done");
  });
}

test("the real key never enters a box: agents call with the run's token", async () => {
  expect(model.requests.length).toBeGreaterThan(0);
  expect(new Set(model.requests.map(({ key }) => key))).toEqual(new Set([model.key]));
  const found = await alcove.plane.client.workspaces.execAndWait("office", {
    command: ["sh", "-c", `grep -rsl "${model.key}" /workspace /tmp /proc/*/environ | head -3`],
  });
  expect(found.stdout).toBe("");
});
