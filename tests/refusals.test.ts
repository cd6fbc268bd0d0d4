import { afterAll, beforeAll, expect, test } from "vitest";
import type { Run } from "../packages/contract/src/api/run.ts";
import { type FakeModel, startFakeModel } from "./fakes/model/fake-model.ts";
import { installedAgents } from "./fixtures/agents.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";
import { freePort } from "./fixtures/free-port.ts";

let alcove: TestAlcove;
let model: FakeModel;
beforeAll(async () => {
  model = await startFakeModel();
  alcove = await startTestAlcove({ agents: await installedAgents() });
  await alcove.plane.client.workspaces.create({ name: "small", limits: { diskBytes: 64 * 2 ** 20 } });
  await alcove.plane.client.workspaces.start("small");
});
afterAll(async () => {
  await alcove[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

async function runToEnd(prompt = "hello"): Promise<Run> {
  const { client } = alcove.plane;
  const run = await client.runs.create({ workspace: "small", agent: "claude-code", prompt });
  return client.runs.get(run.id, { waitSeconds: 60 });
}

test("a key that the provider refuses is told when it is entered, and by a run", async () => {
  const { client } = alcove.plane;
  const provider = await client.providers.put("anthropic", { kind: "anthropic", baseUrl: model.url, key: "sk-wrong" });
  expect(provider).toMatchObject({ state: "refused", error: { code: "model_key_refused" } });
  expect(JSON.stringify(provider)).not.toContain("sk-wrong");
  expect(await runToEnd()).toMatchObject({ state: "failed", error: { code: "model_key_refused" } });
});

test("a provider that does not answer is told with its address", async () => {
  const { client } = alcove.plane;
  const port = await freePort();
  await client.providers.put("anthropic", { kind: "anthropic", baseUrl: `http://127.0.0.1:${port}`, key: model.key });
  const run = await runToEnd();
  expect(run).toMatchObject({ state: "failed", error: { code: "model_unreachable" } });
  expect(run.error?.detail).toContain(`127.0.0.1:${port}`);
});

test("a model that fails in the middle of a run gives its own words", async () => {
  const { client } = alcove.plane;
  await client.providers.put("anthropic", { kind: "anthropic", baseUrl: model.url, key: model.key });
  const run = await runToEnd(`Fail. [[script: [{"fault":400}]]]`);
  expect(run).toMatchObject({ state: "failed", error: { code: "model_failed" } });
});

test("a workspace whose disk is full says so, to whoever writes", async () => {
  const { client } = alcove.plane;
  await client.workspaces.execAndWait("small", { command: ["sh", "-c", "head -c 200000000 /dev/zero > filler"] });
  await expect(client.files.write("small", "user/projects/more.bin", new Uint8Array(4_000_000))).rejects.toMatchObject({
    code: "workspace_full",
  });
  await client.files.delete("small", "user/projects/filler");
  await client.files.write("small", "user/projects/more.bin", new Uint8Array(1_000));
});

test("an upload that is refused tells why, however large it is", async () => {
  const upload = alcove.plane.client.files.write(
    "small",
    "user/projects/no/such/folder.bin",
    new Uint8Array(5_000_000),
  );
  await expect(upload).rejects.toMatchObject({ code: "file_not_found" });
});

test("a second server on the same port says that it is taken", async () => {
  const port = Number(new URL(alcove.plane.address).port);
  await expect(alcove.startControlPlane(port)).rejects.toThrow(/port_taken/);
});
