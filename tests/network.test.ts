import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client } from "../packages/sdk/src/client.ts";
import { inProject } from "../tools/project.ts";
import { startFakeModel } from "./fakes/model/fake-model.ts";
import { scriptedPrompt } from "./fakes/model/script.ts";
import { installedAgents } from "./fixtures/agents.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

/** No name that these tests allow is asked for: nothing leaves the machine. */
let alcove: TestAlcove;
let client: Client;
beforeAll(async () => {
  alcove = await startTestAlcove({ agents: await installedAgents() });
  client = createClient({ baseUrl: alcove.plane.address, key: alcove.secret });
  await client.workspaces.create({ name: "shop", network: { mode: "allow-list", allow: ["a.test"] } });
});
afterAll(() => alcove[Symbol.asyncDispose]());

async function alcoveCommand(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [inProject("apps/cli/src/main.ts"), ...args], {
    env: { PATH: process.env["PATH"], ALCOVE_KEY: alcove.secret, ALCOVE_URL: alcove.plane.address },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}

const lookUp = (host: string) =>
  client.workspaces.execAndWait("shop", { command: ["getent", "hosts", host], timeoutMs: 20_000 });
const network = async () => (await client.workspaces.get("shop")).network;

test("a host that was denied is told as an event and allowed with one call, which may be repeated", async () => {
  expect((await lookUp("registry.test")).exitCode).toBe(2);
  const denials = async () =>
    (await client.workspaces.events("shop")).items.flatMap((event) =>
      event.kind === "network.denied" ? [event.data] : [],
    );
  await expect
    .poll(denials, { timeout: 15_000 })
    .toContainEqual({ host: "registry.test", port: null, canAllow: true, times: 1 });
  const allowed = { mode: "allow-list", allow: ["a.test", "registry.test"] };
  expect((await client.workspaces.allowHost("shop", "registry.test")).network).toEqual(allowed);
  expect((await client.workspaces.allowHost("shop", "registry.test")).network).toEqual(allowed);
  await expect(client.workspaces.allowHost("shop", "203.0.113.7")).rejects.toMatchObject({ code: "bad_request" });
});

test("hosts that are allowed at the same moment are all on the list", async () => {
  const hosts = Array.from({ length: 5 }, (_, index) => `host-${index}.test`);
  await Promise.all(hosts.map((host) => client.workspaces.allowHost("shop", host)));
  expect((await network()).allow).toEqual(expect.arrayContaining(hosts));
});

test("the network is printed and changed from a shell", async () => {
  expect(await alcoveCommand("ws", "network", "shop", "none")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^none: nothing/),
  });
  expect(await network()).toMatchObject({ mode: "none" });
  expect((await alcoveCommand("ws", "network", "shop", "allow", "*.b.test", "c.test")).stdout).toBe(
    "allow-list:\n  *.b.test\n  c.test\n",
  );
  expect((await alcoveCommand("ws", "network", "shop", "deny", "c.test", "--json")).stdout).toBe(
    '{"mode":"allow-list","allow":["*.b.test"]}\n',
  );
  const refused = await alcoveCommand("ws", "network", "shop", "allow", "https://c.test");
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("is not a host name");
  expect((await alcoveCommand("ws", "network", "shop", "open")).stdout).toBe("open: every public host\n");
  expect((await alcoveCommand("ws", "network", "shop")).stdout).toBe("open: every public host\n");
});

test("an agent does its work in a workspace that reaches nothing but its model", async () => {
  await using model = await startFakeModel();
  await client.providers.put("anthropic", { kind: "anthropic", baseUrl: model.url, key: model.key });
  for (const network of [
    { mode: "none" as const, allow: [] },
    { mode: "allow-list" as const, allow: ["a.test"] },
  ]) {
    await client.workspaces.update("shop", { network });
    const prompt = scriptedPrompt("Write.", [{ shell: "getent hosts other.test || echo alone" }, { say: "Done." }]);
    const spoken = await alcoveCommand("run", "--workspace", "shop", "--agent", "claude-code", prompt);
    expect(spoken).toMatchObject({ code: 0, stdout: expect.stringContaining("Done.") });
  }
});
