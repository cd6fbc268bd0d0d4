import type { EventBody, ToolCall, ToolContent } from "@alcove/contract/api/event";
import type { JournalEntry, RunEnd } from "@alcove/contract/box/run";
import { z } from "zod";
import { toolCallFrom } from "./tool-call.ts";

/** What is stored, and counted by a worker that takes the run over. */
export type Durable =
  | { readonly type: "event"; readonly event: EventBody; readonly raw?: unknown }
  | { readonly type: "permission"; readonly id: string; readonly request: unknown }
  | { readonly type: "permission_result"; readonly id: string; readonly option: string | null }
  | { readonly type: "end"; readonly end: RunEnd };

/** What is shown while it grows, and not stored. */
export type Passing =
  | {
      readonly type: "text";
      readonly of: "agent_message" | "agent_thought";
      readonly item: string;
      readonly text: string;
    }
  | { readonly type: "output"; readonly item: string; readonly text: string; readonly whole: boolean };

export type Folded = Durable | Passing;

const chunkSchema = z.object({ content: z.object({ type: z.string(), text: z.string().optional() }) });
const planSchema = z.object({
  entries: z.array(
    z.object({
      content: z.string(),
      status: z.enum(["pending", "in_progress", "completed"]).catch("pending"),
      priority: z.string().catch("medium"),
    }),
  ),
});
const titleSchema = z.object({ title: z.string().min(1).max(500) });

interface OpenText {
  readonly of: "agent_message" | "agent_thought";
  readonly item: string;
  readonly startedAt: string;
  text: string;
}

/**
 * Folds the daemon's journal (ACP v1 session updates, https://agentclientprotocol.com/protocol/prompt-turn) into finished events: chunks of
 * one message become one event, a tool call is given out when it starts and when it ends. Pure: the same entries always give the same output,
 * so a worker that takes a run over folds the journal from its beginning and passes by as many durable outputs as are stored.
 */
export function createFold() {
  let open: OpenText | undefined;
  const calls = new Map<string, { call: ToolCall; startedAt: string }>();

  const closeText = (at: string, cut: boolean): Folded[] => {
    if (!open) return [];
    const { of, item, text, startedAt } = open;
    open = undefined;
    if (text.trim() === "") return [];
    if (of === "agent_message") return [{ type: "event", event: { kind: of, data: { item, text, cut } } }];
    const durationMs = Math.max(0, Date.parse(at) - Date.parse(startedAt));
    return [{ type: "event", event: { kind: of, data: { item, text, cut, durationMs } } }];
  };

  const text = (of: OpenText["of"], entry: JournalEntry, update: unknown): Folded[] => {
    const chunk = chunkSchema.safeParse(update);
    const piece = chunk.success && chunk.data.content.type === "text" ? (chunk.data.content.text ?? "") : "";
    if (piece === "") return [];
    const out = open && open.of !== of ? closeText(entry.at, false) : [];
    open ??= { of, item: `${of === "agent_message" ? "m" : "t"}${entry.seq}`, startedAt: entry.at, text: "" };
    open.text += piece;
    return [...out, { type: "text", of, item: open.item, text: piece }];
  };

  const tool = (entry: JournalEntry, update: Record<string, unknown>): Folded[] => {
    const id = typeof update["toolCallId"] === "string" ? update["toolCallId"] : `call${entry.seq}`;
    const before = calls.get(id);
    const ended = before !== undefined && isOver(before.call);
    if (ended) return [];
    const startedAt = before?.startedAt ?? entry.at;
    const merged = toolCallFrom(id, update, before?.call);
    const over = isOver(merged);
    const call = over ? { ...merged, durationMs: Math.max(0, Date.parse(entry.at) - Date.parse(startedAt)) } : merged;
    calls.set(id, { call, startedAt });
    const out = closeText(entry.at, false);
    if (!before) out.push({ type: "event", event: { kind: "tool_call", data: call }, raw: update });
    if (!before && !over) return out;
    if (over) {
      if (before) out.push({ type: "event", event: { kind: "tool_call_update", data: call }, raw: update });
      return out;
    }
    if (before && (before.call.title !== call.title || changedDiffs(before.call.content, call.content))) {
      out.push({ type: "event", event: { kind: "tool_call_update", data: call } });
    }
    return [...out, ...liveOutput(id, update, call)];
  };

  return {
    /** Takes the next entry of the journal; entries come in order, from the first. */
    take: fold,
  };

  function fold(entry: JournalEntry): Folded[] {
    switch (entry.type) {
      case "started":
        return entry.how === "lost"
          ? [
              {
                type: "event",
                event: {
                  kind: "notice",
                  data: {
                    level: "warning",
                    text: "The agent could not reopen the conversation and began a new one; it sees the files, not what was said before.",
                  },
                },
              },
            ]
          : [];
      case "update":
        return update(entry, entry.update);
      case "permission":
        return [...closeText(entry.at, false), { type: "permission", id: entry.id, request: entry.request }];
      case "permission_result":
        return [
          {
            type: "permission_result",
            id: entry.id,
            option: entry.outcome.outcome === "selected" ? entry.outcome.optionId : null,
          },
        ];
      case "stray":
      case "stderr":
        return [];
      case "end":
        return [
          ...closeText(entry.at, entry.outcome !== "done"),
          ...endOpenCalls(entry.at),
          { type: "end", end: entry },
        ];
    }
  }

  function update(entry: JournalEntry, body: Record<string, unknown>): Folded[] {
    switch (body["sessionUpdate"]) {
      case "agent_message_chunk":
        return text("agent_message", entry, body);
      case "agent_thought_chunk":
        return text("agent_thought", entry, body);
      case "tool_call":
      case "tool_call_update":
        return tool(entry, body);
      case "plan": {
        const plan = planSchema.safeParse(body);
        return plan.success
          ? [...closeText(entry.at, false), { type: "event", event: { kind: "plan", data: plan.data }, raw: body }]
          : [];
      }
      case "session_info_update": {
        const info = titleSchema.safeParse(body);
        return info.success
          ? [{ type: "event", event: { kind: "session_info", data: { title: info.data.title } }, raw: body }]
          : [];
      }
      default:
        return [];
    }
  }

  function endOpenCalls(at: string): Folded[] {
    const out: Folded[] = [];
    for (const [id, { call, startedAt }] of calls) {
      if (isOver(call)) continue;
      const durationMs = Math.max(0, Date.parse(at) - Date.parse(startedAt));
      const ended: ToolCall = { ...call, status: "failed", durationMs };
      calls.set(id, { call: ended, startedAt });
      out.push({ type: "event", event: { kind: "tool_call_update", data: ended } });
    }
    return out;
  }
}

function isOver(call: ToolCall): boolean {
  return call.status === "completed" || call.status === "failed";
}

function changedDiffs(before: readonly ToolContent[], after: readonly ToolContent[]): boolean {
  const diffs = (content: readonly ToolContent[]) => content.filter((part) => part.type === "diff").length;
  return diffs(after) > diffs(before);
}

const deltaSchema = z.object({ _meta: z.object({ terminal_output_delta: z.object({ data: z.string() }) }) });

function liveOutput(item: string, update: Record<string, unknown>, call: ToolCall): Folded[] {
  const delta = deltaSchema.safeParse(update);
  if (delta.success) return [{ type: "output", item, text: delta.data._meta.terminal_output_delta.data, whole: false }];
  const text = call.content.map((part) => (part.type === "diff" ? "" : part.text)).join("\n");
  return call.kind === "execute" && text !== "" ? [{ type: "output", item, text, whole: true }] : [];
}
