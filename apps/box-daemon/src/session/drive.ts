import type { InitializeResponse } from "@agentclientprotocol/sdk";
import type { JournalBody, RunEnd, RunSpec } from "@alcove/contract/box/run";
import { toCodedError } from "@alcove/contract/errors";
import { join } from "node:path";
import { isRecord } from "../http/body.ts";
import type { Environment } from "../system/environment.ts";
import { killMarked } from "../system/marked-processes.ts";
import { commandEnvironment } from "../system/command-environment.ts";
import { sessionFile, startAgent, writeConfig, type AgentProcess } from "./agent-process.ts";
import { openConversation } from "./conversation.ts";
import type { Permissions } from "./permissions.ts";
import { tapAgent } from "./tap.ts";
import { textLines } from "./text-lines.ts";

export interface DriveOptions {
  readonly spec: RunSpec;
  readonly environment: Environment;
  readonly append: (body: JournalBody) => void;
  readonly permissions: Permissions;
  /** Aborted when the run is cancelled. */
  readonly cancelled: AbortSignal;
}

/** Milliseconds that an agent has to end its turn after a cancel, and to close its session. */
const cancelGraceMs = 5_000;
const closeGraceMs = 2_000;
/** Milliseconds in which an agent that broke its connection is expected to have ended. */
const deathGraceMs = 1_000;

/**
 * Runs one prompt with the agent and gives the end of the run. Everything that the agent says is appended on the way. `release` stops what is left of
 * the agent; it is called after the end was recorded, because a polite stop takes time.
 */
export async function drive(options: DriveOptions): Promise<{ end: RunEnd; release: () => Promise<void> }> {
  const { spec, environment } = options;
  let agent: AgentProcess;
  try {
    await writeConfig(spec.agent, environment.root);
    agent = startAgent({
      launch: spec.agent,
      directory: join(environment.root, spec.directory),
      env: { ...commandEnvironment(environment), ALCOVE_RUN: spec.run },
    });
  } catch (error) {
    return { end: failure(error), release: () => Promise.resolve() };
  }
  const errors = recordErrors(agent, options.append);
  const killAll = async () => {
    agent.kill();
    await killMarked({ ALCOVE_RUN: spec.run });
  };

  const turn = await takeTurn(agent, options);
  if (options.cancelled.aborted) {
    await killAll();
    await errors;
    return { end: { type: "end", outcome: "cancelled" }, release: killAll };
  }
  if (turn.outcome === "broken") {
    const exit = await Promise.race([agent.exited, Bun.sleep(deathGraceMs).then(() => null)]);
    await killAll();
    await Promise.all([errors, turn.drained]);
    const end: RunEnd = exit === null ? failure(turn.error) : { type: "end", outcome: "died", ...exit };
    return { end, release: killAll };
  }
  return { end: turn.end, release: () => agent.stop() };
}

type Turn = { outcome: "ended"; end: RunEnd } | { outcome: "broken"; error: unknown; drained: Promise<void> };

async function takeTurn(agent: AgentProcess, options: DriveOptions): Promise<Turn> {
  const { spec, environment } = options;
  const { client, methods, PROTOCOL_VERSION, RequestError } = await import("@agentclientprotocol/sdk");
  const tap = tapAgent(agent, {
    onUpdate: (update) => options.append({ type: "update", update }),
    onStray: (line) => options.append({ type: "stray", line }),
  });
  const connection = client({ name: "alcove" })
    .onRequest(methods.client.session.requestPermission, async ({ params }) => ({
      outcome: await options.permissions.ask(params),
    }))
    .onNotification(methods.client.session.update, () => undefined)
    .connect(tap.stream);
  const broken = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error("The agent closed its connection"));
    void connection.closed.then(fail);
    void agent.exited.then(() => tap.drained).then(fail);
  });
  broken.catch(() => undefined);
  const cancelled = aborted(options.cancelled);
  const inTime = <T>(work: Promise<T>) => Promise.race([work, broken, cancelled]);

  try {
    const initialized: InitializeResponse = await inTime(
      connection.agent.request("initialize", {
        protocolVersion: PROTOCOL_VERSION,
        clientInfo: { name: "alcove", version: "0.1.0" },
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
      }),
    );
    const conversation = await inTime(
      openConversation({
        spec,
        connection,
        initialized,
        tap,
        directory: join(environment.root, spec.directory),
        file: sessionFile(environment.state, spec.session),
      }),
    );
    options.append({ type: "started", ...conversation });
    tap.goLive();
    const sessionId = conversation.acpSession;
    const prompt = connection.agent.request("session/prompt", {
      sessionId,
      prompt: [{ type: "text", text: spec.prompt }],
    });
    prompt.catch(() => undefined);
    const answer = await inTime(prompt).catch(async (error: unknown) => {
      if (!options.cancelled.aborted) throw error;
      const close = isRecord(initialized.agentCapabilities?.sessionCapabilities?.close);
      await connection.agent.notify("session/cancel", { sessionId });
      await settled([prompt, broken], cancelGraceMs);
      // Some agents leave a shell running after a cancel and end it only with its session.
      if (close) await settled([connection.agent.request("session/close", { sessionId }), broken], closeGraceMs);
      throw error;
    });
    return { outcome: "ended", end: { type: "end", outcome: "done", stopReason: answer.stopReason } };
  } catch (error) {
    if (error instanceof RequestError) return { outcome: "ended", end: failure(error) };
    return { outcome: "broken", error, drained: Promise.race([tap.drained, Bun.sleep(deathGraceMs)]) };
  }
}

/** Rejects when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error("The run was cancelled"));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
  promise.catch(() => undefined);
  return promise;
}

/** Resolves when one of the promises is settled either way, or after the time in milliseconds. */
async function settled(work: readonly Promise<unknown>[], ms: number): Promise<void> {
  await Promise.race([...work.map((promise) => promise.catch(() => undefined)), Bun.sleep(ms)]);
}

function failure(error: unknown): RunEnd {
  if (error instanceof Error && "code" in error && typeof error.code === "number") {
    const raw = { code: error.code, message: error.message, data: "data" in error ? error.data : undefined };
    return { type: "end", outcome: "failed", code: "agent_failed", detail: error.message, raw };
  }
  const coded = toCodedError(error);
  const detail = coded.code === "internal" && error instanceof Error ? error.message : coded.message;
  return {
    type: "end",
    outcome: "failed",
    code: coded.code === "internal" ? "agent_failed" : coded.code,
    detail,
    raw: null,
  };
}

/** Characters of standard error that are kept per run, and per entry. */
const errorLimit = 256 * 1024;
const errorLineLimit = 8 * 1024;

async function recordErrors(agent: AgentProcess, append: DriveOptions["append"]): Promise<void> {
  let left = errorLimit;
  for await (const line of textLines(agent.stderr)) {
    if (left <= 0 || line.trim() === "") continue;
    append({ type: "stderr", text: line.slice(0, errorLineLimit) });
    left -= line.length;
    if (left <= 0) append({ type: "stderr", text: "(the rest of the agent's messages is not kept)" });
  }
}
