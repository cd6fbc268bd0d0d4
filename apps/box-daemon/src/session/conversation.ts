import { readFile, rename, writeFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type {
  ClientConnection,
  InitializeResponse,
  LoadSessionRequest,
  SessionModeState,
} from "@agentclientprotocol/sdk";
import type { RunSpec, SessionOrigin } from "@alcove/contract/box/run";
import { isRecord } from "../http/body.ts";
import { describe, log } from "../system/log.ts";
import type { Tap } from "./tap.ts";

export interface Conversation {
  readonly acpSession: string;
  readonly how: SessionOrigin;
}

export interface ConversationOptions {
  readonly spec: RunSpec;
  readonly connection: ClientConnection;
  readonly initialized: InitializeResponse;
  readonly tap: Tap;
  readonly directory: string;
  /** File that remembers the agent's own id of the conversation between runs. */
  readonly file: string;
}

/**
 * Continues the session's conversation, by `session/resume` where the agent has it, else by `session/load`, whose replay is dropped; or begins a
 * new one. The mode of the run is set afterwards.
 */
export async function openConversation(options: ConversationOptions): Promise<Conversation> {
  const { spec, file } = options;
  const known = await readKnown(file, spec.agent.name);
  const continued = known === null ? null : await continueConversation(options, known);
  const opened = continued ?? (await beginConversation(options, known === null ? "new" : "lost"));
  await remember(file, spec.agent.name, opened.acpSession);
  await setMode(options, opened);
  return { acpSession: opened.acpSession, how: opened.how };
}

interface Opened extends Conversation {
  readonly modes: SessionModeState | null;
}

async function continueConversation(options: ConversationOptions, acpSession: string): Promise<Opened | null> {
  const { connection, initialized, tap, directory } = options;
  const request: LoadSessionRequest = { sessionId: acpSession, cwd: directory, mcpServers: [] };
  const capabilities = initialized.agentCapabilities;
  if (isRecord(capabilities?.sessionCapabilities?.resume)) {
    try {
      tap.hold();
      const answer = await connection.agent.request("session/resume", request);
      return { acpSession, how: "resumed", modes: answer.modes ?? null };
    } catch (error) {
      log("warn", "The agent did not resume its session", { acpSession, error: describe(error) });
    }
  }
  if (capabilities?.loadSession === true) {
    try {
      tap.replay();
      const answer = await connection.agent.request("session/load", request);
      return { acpSession, how: "loaded", modes: answer.modes ?? null };
    } catch (error) {
      log("warn", "The agent did not load its session", { acpSession, error: describe(error) });
    }
  }
  return null;
}

async function beginConversation(options: ConversationOptions, how: "new" | "lost"): Promise<Opened> {
  options.tap.hold();
  const answer = await options.connection.agent.request("session/new", { cwd: options.directory, mcpServers: [] });
  return { acpSession: answer.sessionId, how, modes: answer.modes ?? null };
}

async function setMode(options: ConversationOptions, opened: Opened): Promise<void> {
  const wanted = options.spec.agent.modes[options.spec.mode];
  if (wanted === undefined || opened.modes === null || opened.modes.currentModeId === wanted) return;
  const modeId = opened.modes.availableModes.find((mode) => mode.id === wanted)?.id;
  if (modeId === undefined) throw new Error(`${options.spec.agent.name} has no mode "${wanted}"`);
  await options.connection.agent.request("session/set_mode", { sessionId: opened.acpSession, modeId });
}

async function readKnown(file: string, agent: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return null;
  }
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || value["agent"] !== agent || typeof value["acpSession"] !== "string") return null;
  return value["acpSession"];
}

async function remember(file: string, agent: string, acpSession: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, JSON.stringify({ agent, acpSession }), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
