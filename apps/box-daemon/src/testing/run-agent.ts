import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { JournalEntry, JournalLine, RunSpec } from "@alcove/contract/box/run";
import { newId, type SessionId } from "@alcove/contract/ids";
import type { TestDaemon } from "./start-daemon.ts";

/** The entries of a run's journal behind `after`, live, until the connection ends. */
export async function* followRun(
  daemon: TestDaemon,
  run: string,
  after = 0,
  signal?: AbortSignal,
): AsyncGenerator<JournalEntry, void> {
  const response = await daemon.open("GET", `/v1/runs/${run}/journal?after=${after}`, { ...(signal && { signal }) });
  if (response.statusCode !== 200) throw new Error(`The journal answers ${response.statusCode}`);
  response.on("error", () => undefined);
  try {
    for await (const text of createInterface({ input: response })) {
      const line: JournalLine = JSON.parse(text);
      if (!("ping" in line)) yield line;
    }
  } finally {
    response.destroy();
  }
}

/** The whole journal of a run, up to its end. */
export async function journalOf(daemon: TestDaemon, run: string, after = 0): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of followRun(daemon, run, after)) entries.push(entry);
  return entries;
}

/** What the agent said, put together from its chunks. */
export function saidIn(entries: readonly JournalEntry[]): string {
  return entries
    .map((entry) =>
      entry.type === "update" && entry.update["sessionUpdate"] === "agent_message_chunk"
        ? entry.update["content"]
        : null,
    )
    .map((content) =>
      typeof content === "object" && content !== null && "text" in content ? String(content.text) : "",
    )
    .join("");
}

/** Kinds of session updates in the order of their first appearance. */
export function updatesIn(entries: readonly JournalEntry[]): string[] {
  return [
    ...new Set(entries.flatMap((entry) => (entry.type === "update" ? [String(entry.update["sessionUpdate"])] : []))),
  ];
}

/** A run of the scripted agent. */
export function scriptedRun(
  prompt: string,
  options: { session?: SessionId; mode?: RunSpec["mode"]; env?: Record<string, string> } = {},
): RunSpec {
  return {
    run: newId("run"),
    session: options.session ?? newId("session"),
    agent: {
      name: "scripted",
      command: [process.execPath, fileURLToPath(new URL("scripted-agent.ts", import.meta.url))],
      env: options.env ?? {},
      configDirectory: "system/state/agents/scripted",
      modes: {},
    },
    directory: "user/projects",
    prompt,
    mode: options.mode ?? "process",
    model: null,
  };
}

/** Pids of everything that was started for the run. */
export function processesOf(run: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`ALCOVE_RUN=${run}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
