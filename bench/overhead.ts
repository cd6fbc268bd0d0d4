import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { claudeCode } from "../apps/control-plane/src/agents/claude-code.ts";
import { hostArch } from "../apps/control-plane/src/agents/definition.ts";
import { type FakeModel, startFakeModel } from "../tests/fakes/model/fake-model.ts";
import { scriptedPrompt } from "../tests/fakes/model/script.ts";
import { installedAgents } from "../tests/fixtures/agents.ts";
import { startTestAlcove } from "../tests/fixtures/alcove.ts";
import { type BenchResult, result, timed } from "./report.ts";

const rounds = 9;
const prompt = (round: string) => scriptedPrompt(`Bench ${round}.`, [{ say: `Bench ${round}.` }]);

/** From the prompt to the agent's first request at the model, in a conversation of its own; beside the same agent started by hand. */
export async function benchOverhead(): Promise<BenchResult> {
  const agents = await installedAgents();
  await using model = await startFakeModel();
  await using alcove = await startTestAlcove({ agents });
  const { client } = alcove.plane;
  await client.providers.put("anthropic", { kind: "anthropic", baseUrl: model.url, key: model.key });
  await client.workspaces.create({ name: "bench" });
  await client.workspaces.start("bench");

  const through = async (round: string) => {
    const seen = asks(model, round);
    const run = await client.runs.create({ workspace: "bench", agent: "claude-code", prompt: prompt(round) });
    await seen;
    return run.id;
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    let run = "";
    const own = await timed(async () => (run = await through(`own-${round}`)));
    await client.runs.get(run, { waitSeconds: 60 });
    const hand = await byHand(model, agents, `hand-${round}`);
    // The first of each warms the file cache.
    if (round > 0) {
      ours.push(own);
      theirs.push(hand);
    }
  }
  return result("overhead", "ms", ours, { name: "the same agent by hand", values: theirs });
}

/** Resolves with the agent's request that carries the prompt, which offers tools; titles and the like do not. */
function asks(model: FakeModel, round: string): Promise<unknown> {
  return model.nextRequest(
    ({ body }) =>
      Array.isArray(body["tools"]) &&
      body["tools"].length > 0 &&
      JSON.stringify(body["messages"]).includes(`Bench ${round}.`),
  );
}

async function byHand(model: FakeModel, agents: string, round: string): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), "alcove-hand-"));
  const place = { workspace: folder, opt: path.dirname(agents), arch: hostArch };
  const launch = claudeCode.launch(
    {
      provider: "anthropic",
      model: null,
      mode: "process",
      token: model.key,
      gateway: { anthropic: model.url, openai: `${model.url}/v1` },
    },
    place,
  );
  const [, script = ""] = launch.command;
  const begun = performance.now();
  const child = spawn(process.execPath, [script], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, ...launch.env },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const call = caller(child.stdin, child.stdout);
  await call("initialize", { protocolVersion: 1, clientCapabilities: {} });
  const session = await call("session/new", { cwd: folder, mcpServers: [] });
  const seen = asks(model, round);
  const answered = call("session/prompt", {
    sessionId: session["sessionId"],
    prompt: [{ type: "text", text: prompt(round) }],
  });
  await seen;
  const took = performance.now() - begun;
  await answered;
  child.kill("SIGKILL");
  await once(child, "exit");
  // What the agent started may still write for a moment.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  return took;
}

/** JSON-RPC over lines, as the Agent Client Protocol has it. */
function caller(input: NodeJS.WritableStream, output: NodeJS.ReadableStream) {
  const waiting = new Map<number, (answer: Record<string, unknown>) => void>();
  let last = 0;
  let rest = "";
  output.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message: unknown = line.startsWith("{") ? JSON.parse(line) : null;
      if (typeof message !== "object" || message === null || !("id" in message) || typeof message.id !== "number")
        continue;
      if ("result" in message && typeof message.result === "object") waiting.get(message.id)?.({ ...message.result });
    }
  });
  return (method: string, params: unknown): Promise<Record<string, unknown>> => {
    last += 1;
    const id = last;
    input.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return new Promise((resolve) => waiting.set(id, resolve));
  };
}
