import { z } from "zod";
import { changeSchema } from "./workspace.ts";
import { runStateSchema, tokensSchema } from "./run.ts";
import { failureSchema } from "./problem.ts";

/** Content of a tool call, after ACP v1 `ToolCallContent`: text, a diff of one file, or output of a command. */
export const toolContentSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("diff"), path: z.string(), oldText: z.string().nullable(), newText: z.string() }),
  z.object({ type: z.literal("output"), text: z.string(), exitCode: z.number().int().nullable() }),
]);
export type ToolContent = z.infer<typeof toolContentSchema>;

export const toolCallSchema = z.object({
  id: z.string(),
  title: z.string(),
  /** ACP v1 tool kinds. */
  kind: z.enum(["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode", "other"]),
  status: z.enum(["pending", "in_progress", "completed", "failed"]),
  content: z.array(toolContentSchema),
  locations: z.array(z.object({ path: z.string(), line: z.number().int().nullable() })),
  /** The command line, when the call runs one. */
  command: z.string().nullable(),
  durationMs: z.number().int().nullable(),
});
export type ToolCall = z.infer<typeof toolCallSchema>;

export const planEntrySchema = z.object({
  content: z.string(),
  status: z.enum(["pending", "in_progress", "completed"]),
  priority: z.string(),
});

export const stepNameSchema = z.enum(["workspace", "preflight", "checkpoint", "agent", "collect"]);

/** What is stored, by kind. A tool call is stored when it starts and again, whole, when it ends. */
export const eventBodySchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("run.state"),
    data: z.object({ state: runStateSchema, error: failureSchema.nullable() }),
  }),
  z.object({
    kind: z.literal("step"),
    data: z.object({ name: stepNameSchema, state: z.enum(["started", "done", "retrying"]), detail: z.string() }),
  }),
  z.object({
    kind: z.literal("agent_message"),
    data: z.object({ item: z.string(), text: z.string(), cut: z.boolean() }),
  }),
  z.object({
    kind: z.literal("agent_thought"),
    data: z.object({ item: z.string(), text: z.string(), cut: z.boolean(), durationMs: z.number().int() }),
  }),
  z.object({ kind: z.literal("tool_call"), data: toolCallSchema }),
  z.object({ kind: z.literal("tool_call_update"), data: toolCallSchema }),
  z.object({ kind: z.literal("plan"), data: z.object({ entries: z.array(planEntrySchema) }) }),
  z.object({ kind: z.literal("session_info"), data: z.object({ title: z.string() }) }),
  z.object({ kind: z.literal("notice"), data: z.object({ level: z.enum(["info", "warning"]), text: z.string() }) }),
  z.object({
    kind: z.literal("usage"),
    data: tokensSchema.extend({ model: z.string(), costUsd: z.number().nullable(), estimated: z.boolean() }),
  }),
  z.object({
    kind: z.literal("checkpoint"),
    data: z.object({ snapshot: z.string(), when: z.enum(["before", "after"]) }),
  }),
  z.object({ kind: z.literal("file.changed"), data: changeSchema }),
  z.object({
    kind: z.literal("port.opened"),
    data: z.object({ port: z.number().int(), process: z.string().nullable() }),
  }),
  z.object({
    kind: z.literal("permission.requested"),
    data: z.object({
      approval: z.string(),
      title: z.string(),
      subject: z.string().nullable(),
      toolCall: z.string().nullable(),
    }),
  }),
  z.object({
    kind: z.literal("permission.answered"),
    data: z.object({ approval: z.string(), option: z.string(), label: z.string() }),
  }),
  z.object({ kind: z.literal("permission.expired"), data: z.object({ approval: z.string() }) }),
]);
export type EventBody = z.infer<typeof eventBodySchema>;
export type EventKind = EventBody["kind"];
export type EventData<K extends EventKind> = Extract<EventBody, { kind: K }>["data"];

/** A fact of a run. `seq` starts at 1 and has no gaps within the run. */
export const runEventSchema = z.intersection(
  z.object({ run: z.string(), seq: z.number().int().min(1), at: z.string() }),
  eventBodySchema,
);
export type RunEvent = z.infer<typeof runEventSchema>;

/**
 * Live only, never stored, without an SSE id: text that belongs to an item that is not finished yet. `at` is the offset (in UTF-16 units) of
 * `text` within the item; the stored event of the same item replaces everything. For a tool call, `item` is its id and text is its output.
 */
export const deltaSchema = z.object({
  run: z.string(),
  item: z.string(),
  of: z.enum(["agent_message", "agent_thought", "tool_output"]),
  at: z.number().int(),
  text: z.string(),
});
export type Delta = z.infer<typeof deltaSchema>;

/** `GET /events`: what the caller may see changed; read the resource again. `id` of the SSE event is the cursor. */
export const changeNoticeSchema = z.object({
  resource: z.enum(["run", "workspace", "session", "approval", "agent", "provider", "template"]),
  id: z.string(),
  workspace: z.string().nullable(),
});
export type ChangeNotice = z.infer<typeof changeNoticeSchema>;
