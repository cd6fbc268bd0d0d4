import { z } from "zod";
import { failureSchema } from "./problem.ts";

export const runStateSchema = z.enum([
  "queued",
  "preparing",
  "running",
  "waiting",
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
]);
export type RunState = z.infer<typeof runStateSchema>;
export const endStates = ["succeeded", "failed", "cancelled", "interrupted"] as const satisfies RunState[];

/** True once nothing more will happen to the run. */
export function hasEnded(state: RunState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled" || state === "interrupted";
}

export const runModeSchema = z.enum(["process", "ask", "plan"]);

export const createRunSchema = z.object({
  /** Id or name of a workspace; it is created when `session` and `workspace` are both left out. */
  workspace: z.string().optional(),
  session: z.string().optional(),
  agent: z.string().optional(),
  mode: runModeSchema.default("process"),
  model: z.string().max(200).optional(),
  prompt: z.string().min(1).max(1_000_000),
  /** Relative to the workspace's folder; `user/projects` when left out. */
  directory: z.string().max(4096).optional(),
});
export type CreateRun = z.input<typeof createRunSchema>;

export const tokensSchema = z.object({
  inputTokens: z.number().int(),
  outputTokens: z.number().int(),
  cacheReadTokens: z.number().int(),
  cacheWriteTokens: z.number().int(),
  requests: z.number().int(),
});
export type Tokens = z.infer<typeof tokensSchema>;

export const runFileSchema = z.object({
  path: z.string(),
  change: z.enum(["added", "modified", "deleted"]),
  kind: z.enum(["file", "folder", "link", "other"]),
  /** True when people would want to open it: a document, table, picture or page, not code or configuration. */
  deliverable: z.boolean(),
  size: z.number().int().nullable(),
  url: z.string(),
});
export type RunFile = z.infer<typeof runFileSchema>;

export const runSchema = z.object({
  id: z.string(),
  session: z.string(),
  workspace: z.string(),
  workspaceName: z.string(),
  agent: z.string(),
  model: z.string().nullable(),
  mode: runModeSchema,
  prompt: z.string(),
  title: z.string(),
  state: runStateSchema,
  /** The agent's last message. */
  text: z.string(),
  files: z.array(runFileSchema),
  usage: tokensSchema,
  costUsd: z.number().nullable(),
  error: failureSchema.nullable(),
  undo: z.enum(["none", "possible", "done"]),
  lastSeq: z.number().int(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
});
export type Run = z.infer<typeof runSchema>;

export const sessionSchema = z.object({
  id: z.string(),
  workspace: z.string(),
  agent: z.string(),
  title: z.string(),
  createdAt: z.string(),
  lastRun: z.object({ id: z.string(), state: runStateSchema }).nullable(),
});
export type Session = z.infer<typeof sessionSchema>;

export const approvalSchema = z.object({
  id: z.string(),
  run: z.string(),
  workspace: z.string(),
  workspaceName: z.string(),
  agent: z.string(),
  title: z.string(),
  /** The command, path or address that the answer is about. */
  subject: z.string().nullable(),
  options: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      kind: z.enum(["allow_once", "allow_always", "reject_once", "reject_always"]),
    }),
  ),
  state: z.enum(["open", "answered", "expired"]),
  answer: z.string().nullable(),
  createdAt: z.string(),
});
export type Approval = z.infer<typeof approvalSchema>;
export const answerApprovalSchema = z.object({ option: z.string(), note: z.string().max(10_000).optional() });

/** What an undo did: paths that have their old content back, and paths left alone because they changed again after the run. */
export const undoResultSchema = z.object({ reverted: z.array(z.string()), kept: z.array(z.string()) });
export type UndoResult = z.infer<typeof undoResultSchema>;
