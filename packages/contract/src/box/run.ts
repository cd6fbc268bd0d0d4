import { z } from "zod";
import { runModeSchema } from "../api/run.ts";
import { idSchema } from "../ids.ts";

const relativePath = z.string().max(4096);

/** How an agent is started for one run. Every path in `command` and `env` is as seen inside the box. */
export const agentLaunchSchema = z.object({
  name: z.string().min(1).max(64),
  command: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()),
  /** The agent's own folder for settings and history, relative to the workspace; made when it is not there. */
  configDirectory: relativePath,
  /** Files that are written below `configDirectory` before the agent starts. */
  configFiles: z.array(z.object({ path: relativePath, content: z.string() })).optional(),
  /** The agent's own name of the session mode to use for each of ours; a mode that is left out keeps the agent's default. */
  modes: z.object({ process: z.string().optional(), ask: z.string().optional(), plan: z.string().optional() }),
});
export type AgentLaunch = z.infer<typeof agentLaunchSchema>;

/** Body of `PUT /v1/runs/:run`. The same run again is answered with 200 and changes nothing. */
export const runSpecSchema = z.object({
  run: idSchema("run"),
  session: idSchema("session"),
  agent: agentLaunchSchema,
  /** Relative to the workspace. */
  directory: relativePath,
  prompt: z.string().min(1),
  mode: runModeSchema,
  model: z.string().max(200).nullable(),
});
export type RunSpec = z.infer<typeof runSpecSchema>;

/** Body of `POST /v1/runs/:run/permissions/:id`; the option's id is one of the request's `options`. */
export const answerPermissionSchema = z.object({ option: z.string() });

/** How the agent came to its conversation: `lost` means that it should have continued one but began a new one. */
export const sessionOriginSchema = z.enum(["new", "resumed", "loaded", "lost"]);
export type SessionOrigin = z.infer<typeof sessionOriginSchema>;

const raw = z.record(z.string(), z.unknown());

const end = { type: z.literal("end") };

/** The last entry of every journal: how the run ended in the box. `raw` is the agent's own error object where it gave one. */
export const runEndSchema = z.discriminatedUnion("outcome", [
  z.object({ ...end, outcome: z.literal("done"), stopReason: z.string() }),
  z.object({ ...end, outcome: z.literal("cancelled") }),
  z.object({ ...end, outcome: z.literal("failed"), code: z.string(), detail: z.string(), raw: z.unknown().optional() }),
  z.object({
    ...end,
    outcome: z.literal("died"),
    exitCode: z.number().int().nullable(),
    signal: z.string().nullable(),
  }),
]);
export type RunEnd = z.infer<typeof runEndSchema>;

/** What an entry of the journal says, by type. */
export const journalBodySchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("started"), acpSession: z.string(), how: sessionOriginSchema }),
  /** An ACP `SessionUpdate` as the agent sent it. */
  z.object({ type: z.literal("update"), update: raw }),
  /** An ACP `RequestPermissionRequest` as the agent sent it; `id` is unique within the run. */
  z.object({ type: z.literal("permission"), id: z.string(), request: raw }),
  /** An ACP `RequestPermissionOutcome`: cancelled when the question was withdrawn because the run was cancelled or has ended. */
  z.object({
    type: z.literal("permission_result"),
    id: z.string(),
    outcome: z.discriminatedUnion("outcome", [
      z.object({ outcome: z.literal("cancelled") }),
      z.object({ outcome: z.literal("selected"), optionId: z.string() }),
    ]),
  }),
  /** A line of the agent's standard output that is not JSON. */
  z.object({ type: z.literal("stray"), line: z.string() }),
  z.object({ type: z.literal("stderr"), text: z.string() }),
  runEndSchema,
]);
export type JournalBody = z.infer<typeof journalBodySchema>;

/** One line of the journal: `seq` starts at 1 and has no gaps. */
export const journalEntrySchema = z.intersection(
  z.object({ seq: z.number().int().min(1), at: z.string() }),
  journalBodySchema,
);
export type JournalEntry = z.infer<typeof journalEntrySchema>;

/** A line of `GET /v1/runs/:run/journal?after=<seq>`: an entry, or a sign of life every 10 s. */
export const journalLineSchema = z.union([z.object({ ping: z.literal(true) }), journalEntrySchema]);
export type JournalLine = z.infer<typeof journalLineSchema>;
