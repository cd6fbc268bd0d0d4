import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { RunSpec, JournalEntry } from "@alcove/contract/box/run";
import { newId, type SessionId } from "@alcove/contract/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { followRun, journalOf, processesOf, saidIn, updatesIn } from "../../apps/box-daemon/src/testing/run-agent.ts";
import { playGateway, type PlayedGateway } from "../../apps/box-daemon/src/testing/play-gateway.ts";
import { startDaemon, type TestDaemon } from "../../apps/box-daemon/src/testing/start-daemon.ts";
import { agentDefinitions } from "../../apps/control-plane/src/agents/agents.ts";
import { hostArch, type LaunchWish } from "../../apps/control-plane/src/agents/definition.ts";
import { createAgentInstaller } from "../../apps/control-plane/src/agents/install.ts";
import { startFakeModel, type FakeModel } from "../fakes/model/fake-model.ts";
import { scriptedPrompt, type Script } from "../fakes/model/script.ts";

const repository = new URL("../..", import.meta.url).pathname;
const opt = process.env["ALCOVE_TEST_CACHE"] ?? join(repository, "node_modules/.cache/alcove-agents");
const token = "alct_test";

describe.each(agentDefinitions.map((agent) => [agent.name, agent] as const))("%s, as npm has it", (_, agent) => {
  let model: FakeModel;
  let daemon: TestDaemon;
  let gateway: PlayedGateway;

  beforeAll(async () => {
    const installer = createAgentInstaller({
      directory: join(opt, "agents"),
      node: process.execPath,
      npmCli: join(repository, "node_modules/npm/bin/npm-cli.js"),
    });
    await installer.install(agent, () => undefined, AbortSignal.timeout(280_000));
    await mkdir(join(opt, "node/bin"), { recursive: true });
    await rm(join(opt, "node/bin/node"), { force: true });
    await symlink(process.execPath, join(opt, "node/bin/node"));
    model = await startFakeModel();
    daemon = await startDaemon();
    gateway = await playGateway(daemon, model);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
    await model[Symbol.asyncDispose]();
  });

  async function start(
    script: Script,
    options: Partial<Pick<LaunchWish, "mode" | "provider">> & { session?: SessionId } = {},
  ): Promise<RunSpec> {
    const provider = options.provider ?? agent.providers[0] ?? "anthropic";
    const mode = options.mode ?? "process";
    const chosen = agent.models.find((choice) => choice.provider === provider)?.id ?? "any-model";
    const base = `http://127.0.0.1:${daemon.gatewayPort}`;
    const wish: LaunchWish = {
      provider,
      mode,
      model: chosen,
      token,
      gateway: { anthropic: `${base}/anthropic`, openai: `${base}/openai/v1` },
    };
    const spec: RunSpec = {
      run: newId("run"),
      session: options.session ?? newId("session"),
      agent: agent.launch(wish, { workspace: daemon.root, opt, arch: hostArch }),
      directory: "user/projects",
      prompt: scriptedPrompt("Do what the script says.", script),
      mode,
      model: chosen,
    };
    expect((await daemon.call("PUT", `/v1/runs/${spec.run}`, { body: spec })).status).toBe(201);
    return spec;
  }

  const project = (name: string) => join(daemon.root, "user/projects", name);

  test.each(agent.providers)("writes the file that it was asked for, with a provider of kind %s", async (provider) => {
    const spec = await start(
      [
        { think: "First a look around." },
        { shell: `echo from the shell > shell-${provider}.txt` },
        { say: "Now the file. " },
        { write: { path: `made-${provider}.md`, content: "# Title\n\nText\n" } },
        { say: "It is done." },
      ],
      { provider },
    );
    const entries = await journalOf(daemon, spec.run);
    expect(entries.at(-1)).toMatchObject({ type: "end", outcome: "done", stopReason: "end_turn" });
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_entry, index) => index + 1));
    expect(saidIn(entries)).toContain("It is done.");
    expect(updatesIn(entries)).toEqual(
      expect.arrayContaining(["agent_message_chunk", "agent_thought_chunk", "tool_call", "tool_call_update"]),
    );
    expect(readFileSync(project(`made-${provider}.md`), "utf8")).toBe("# Title\n\nText\n");
    expect(readFileSync(project(`shell-${provider}.txt`), "utf8")).toBe("from the shell\n");
    expect([...gateway.tokens]).toEqual([token]);
  });

  test("remembers its conversation in the next run of the session", async () => {
    const session = newId("session");
    await journalOf(daemon, (await start([{ say: "The word is heron." }], { session })).run);
    const before = model.requests.length;
    const entries = await journalOf(daemon, (await start([{ say: "I remember." }], { session })).run);
    expect(entries.find((entry) => entry.type === "started")).toMatchObject({ how: "resumed" });
    expect(saidIn(entries)).toBe("I remember.");
    expect(JSON.stringify(model.requests.slice(before).map((request) => request.body))).toContain("The word is heron.");
  });

  test("asks before it writes in mode ask, and writes when allowed", async () => {
    const spec = await start([{ write: { path: "asked.md", content: "asked\n" } }, { say: "Written." }], {
      mode: "ask",
    });
    const entries: JournalEntry[] = [];
    for await (const entry of followRun(daemon, spec.run)) {
      entries.push(entry);
      if (entry.type !== "permission") continue;
      expect(existsSync(project("asked.md"))).toBe(false);
      const options = entry.request["options"] as { optionId: string; kind: string }[];
      const option = options.find((candidate) => candidate.kind === "allow_once")?.optionId;
      await daemon.call("POST", `/v1/runs/${spec.run}/permissions/${entry.id}`, { body: { option } });
    }
    expect(entries.map((entry) => entry.type)).toContain("permission_result");
    expect(entries.at(-1)).toMatchObject({ outcome: "done" });
    expect(readFileSync(project("asked.md"), "utf8")).toBe("asked\n");
  });

  const slowCommand: Script = [
    { shell: "touch begun; for i in 1 2 3 4 5 6 7 8 9; do sleep 1; done; touch over" },
    { say: "Never." },
  ];

  async function untilBegun(): Promise<void> {
    while (!existsSync(project("begun"))) await daemon.call("GET", "/v1/health");
    await rm(project("begun"));
  }

  test("ends its command when it is cancelled, and goes on in the next run", async () => {
    const spec = await start(slowCommand);
    await untilBegun();
    await daemon.call("POST", `/v1/runs/${spec.run}/cancel`);
    expect((await journalOf(daemon, spec.run)).at(-1)).toMatchObject({ type: "end", outcome: "cancelled" });
    expect(processesOf(spec.run)).toEqual([]);
    const next = await journalOf(daemon, (await start([{ say: "Here again." }], { session: spec.session })).run);
    expect(saidIn(next)).toContain("Here again.");
  });

  test("says that it died when it is killed, leaves nothing behind, and goes on in the next run", async () => {
    const spec = await start(slowCommand);
    await untilBegun();
    const [first] = processesOf(spec.run).toSorted((a, b) => a - b);
    process.kill(first ?? 0, "SIGKILL");
    expect((await journalOf(daemon, spec.run)).at(-1)).toMatchObject({
      type: "end",
      outcome: "died",
      signal: "SIGKILL",
    });
    expect(processesOf(spec.run)).toEqual([]);
    expect(existsSync(project("over"))).toBe(false);
    const next = await journalOf(daemon, (await start([{ say: "Here again." }], { session: spec.session })).run);
    expect(saidIn(next)).toContain("Here again.");
  });

  test("fails soon when the model refuses its key", async () => {
    const entries = await journalOf(daemon, (await start([{ fault: 401 }])).run);
    expect(entries.at(-1)).toMatchObject({ type: "end", outcome: "failed", code: "agent_failed" });
  });
});
