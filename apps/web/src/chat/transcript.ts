import type { Delta, EventData, RunEvent, ToolCall } from "@alcove/contract/api/event";
import type { Failure } from "@alcove/contract/api/problem";
import type { RunState } from "@alcove/contract/api/run";

export type Item =
  | { type: "message"; id: string; text: string; live: boolean; cut: boolean }
  | { type: "thought"; id: string; text: string; live: boolean; durationMs: number | null }
  | { type: "tool"; id: string; call: ToolCall; output: string; live: boolean; startedAt: number }
  | {
      type: "approval";
      id: string;
      title: string;
      subject: string | null;
      answer: "open" | "expired" | { label: string };
    }
  | { type: "notice"; id: string; level: "info" | "warning"; text: string }
  | { type: "port"; id: string; port: number; process: string | null };

type StepName = EventData<"step">["name"];

/** What one run has told so far, in the order in which it was first said. */
export interface Transcript {
  run: string;
  /** The last stored event that is in here. */
  seq: number;
  state: RunState | null;
  error: Failure | null;
  items: Item[];
  plan: EventData<"plan">["entries"];
  steps: { name: StepName; state: "started" | "done" | "retrying"; detail: string }[];
  files: EventData<"file.changed">[];
  costUsd: number | null;
  tokens: number;
  model: string | null;
  before: string | null;
  after: string | null;
  startedAt: string | null;
  endedAt: string | null;
}

export function emptyTranscript(run: string): Transcript {
  return {
    run,
    seq: 0,
    state: null,
    error: null,
    items: [],
    plan: [],
    steps: [],
    files: [],
    costUsd: null,
    tokens: 0,
    model: null,
    before: null,
    after: null,
    startedAt: null,
    endedAt: null,
  };
}

/** The transcript with a stored event: each (run, seq) counts once, whatever is sent again. */
export function withEvent(transcript: Transcript, event: RunEvent): Transcript {
  if (event.run !== transcript.run || event.seq <= transcript.seq) return transcript;
  return { ...apply(transcript, event), seq: event.seq, startedAt: transcript.startedAt ?? event.at };
}

function apply(transcript: Transcript, event: RunEvent): Transcript {
  switch (event.kind) {
    case "run.state": {
      const { state, error } = event.data;
      const over = state === "succeeded" || state === "failed" || state === "cancelled" || state === "interrupted";
      return {
        ...transcript,
        state,
        error,
        endedAt: over ? event.at : null,
        items: over ? transcript.items.map(settle) : transcript.items,
      };
    }
    case "step": {
      const steps = transcript.steps.filter((step) => step.name !== event.data.name);
      return { ...transcript, steps: [...steps, event.data] };
    }
    case "agent_message": {
      const { item, text, cut } = event.data;
      return put(transcript, { type: "message", id: `message:${item}`, text, cut, live: false });
    }
    case "agent_thought": {
      const { item, text, durationMs } = event.data;
      return put(transcript, { type: "thought", id: `thought:${item}`, text, durationMs, live: false });
    }
    case "tool_call":
    case "tool_call_update": {
      const call = event.data;
      const id = `tool:${call.id}`;
      const old = transcript.items.find((item) => item.id === id);
      const live = call.status === "pending" || call.status === "in_progress";
      // Output that was seen live stays until the stored call brings its own.
      const output = live && old?.type === "tool" ? old.output : "";
      const startedAt = old?.type === "tool" ? old.startedAt : Date.parse(event.at);
      return put(transcript, { type: "tool", id, call, output, live, startedAt });
    }
    case "plan":
      return { ...transcript, plan: event.data.entries };
    case "notice":
      return put(transcript, { type: "notice", id: `notice:${event.seq}`, ...event.data });
    case "usage": {
      const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd, model } = event.data;
      return {
        ...transcript,
        model,
        tokens: transcript.tokens + inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens,
        costUsd: costUsd === null ? transcript.costUsd : (transcript.costUsd ?? 0) + costUsd,
      };
    }
    case "checkpoint":
      return event.data.when === "before"
        ? { ...transcript, before: event.data.snapshot }
        : { ...transcript, after: event.data.snapshot };
    case "file.changed": {
      const files = transcript.files.filter((file) => file.path !== event.data.path);
      return { ...transcript, files: [...files, event.data] };
    }
    case "port.opened":
      return put(transcript, { type: "port", id: `port:${event.data.port}`, ...event.data });
    case "permission.requested": {
      const { approval, title, subject } = event.data;
      return put(transcript, { type: "approval", id: `approval:${approval}`, title, subject, answer: "open" });
    }
    case "permission.answered":
      return answered(transcript, event.data.approval, { label: event.data.label });
    case "permission.expired":
      return answered(transcript, event.data.approval, "expired");
    case "session_info":
      return transcript;
  }
}

/** The transcript with text of an item that is still being written; text that is already there is not written twice. */
export function withDelta(transcript: Transcript, delta: Delta): Transcript {
  if (delta.run !== transcript.run) return transcript;
  if (delta.of === "tool_output") {
    const tool = transcript.items.find((item) => item.id === `tool:${delta.item}`);
    if (tool?.type !== "tool" || !tool.live) return transcript;
    return put(transcript, { ...tool, output: splice(tool.output, delta) });
  }
  const type = delta.of === "agent_message" ? "message" : "thought";
  const id = `${type}:${delta.item}`;
  const old = transcript.items.find((item) => item.id === id);
  if (old && (old.type !== type || !old.live)) return transcript;
  const text = splice(old?.type === type ? old.text : "", delta);
  if (type === "message") return put(transcript, { type, id, text, live: true, cut: false });
  return put(transcript, { type, id, text, live: true, durationMs: null });
}

/** The text with the delta at its offset. What a dropped line swallowed shows as an ellipsis until the stored item replaces it. */
function splice(text: string, delta: Delta): string {
  if (delta.at + delta.text.length <= text.length) return text;
  if (delta.at <= text.length) return text.slice(0, delta.at) + delta.text;
  return text + "…".padEnd(delta.at - text.length) + delta.text;
}

/** The transcript with the item in its old place, or at the end when it is new. */
function put(transcript: Transcript, item: Item): Transcript {
  const at = transcript.items.findIndex((old) => old.id === item.id);
  return { ...transcript, items: at < 0 ? [...transcript.items, item] : transcript.items.with(at, item) };
}

function answered(transcript: Transcript, approval: string, answer: "expired" | { label: string }): Transcript {
  const old = transcript.items.find((item) => item.id === `approval:${approval}`);
  if (old?.type !== "approval") return transcript;
  return put(transcript, { ...old, answer });
}

/** Nothing is written any more once the run is over. */
function settle(item: Item): Item {
  if (item.type === "approval") return item.answer === "open" ? { ...item, answer: "expired" } : item;
  if (item.type === "message" || item.type === "thought" || item.type === "tool")
    return item.live ? { ...item, live: false } : item;
  return item;
}
