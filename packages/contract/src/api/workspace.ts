import { z } from "zod";
import { lifetimeSchema } from "./lifetime.ts";
import { networkSchema } from "./network.ts";
import { failureSchema } from "./problem.ts";

export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
    "is 1 to 40 lower-case letters, digits and hyphens, with no hyphen at either end",
  );

export const workspaceStateSchema = z.enum(["creating", "ready", "hibernated", "deleting", "failed"]);
export type WorkspaceState = z.infer<typeof workspaceStateSchema>;

/** State of the box, the running instance of a workspace. */
export const boxStateSchema = z.enum(["none", "starting", "running", "frozen", "stopping", "failed"]);
export type BoxStateName = z.infer<typeof boxStateSchema>;

/** A misspelt limit is refused: as a whole replaced by nothing it would be lifted. */
export const limitsSchema = z.strictObject({
  memoryBytes: z
    .number()
    .int()
    .min(128 * 2 ** 20)
    .optional(),
  cpus: z.number().min(0.1).max(512).optional(),
  /** At most PID_MAX_LIMIT of the kernel. */
  processes: z.number().int().min(16).max(4_194_304).optional(),
  diskBytes: z
    .number()
    .int()
    .min(64 * 2 ** 20)
    .optional(),
  /** Open files of each process. */
  openFiles: z.number().int().min(64).max(1_048_576).optional(),
});
export type Limits = z.infer<typeof limitsSchema>;

/** Live figures; null where this host cannot tell. `at` is when they were read. */
export const usageSchema = z.object({
  /** Held by programs: without the kernel's copies of files that were not used lately. */
  memoryBytes: z.number().nullable(),
  /** Per cent of one processor since the figures before. */
  cpuPercent: z.number().nullable(),
  processes: z.number().nullable(),
  diskBytes: z.number().nullable(),
  /** Bytes since the box started. */
  networkInBytes: z.number().nullable(),
  networkOutBytes: z.number().nullable(),
  at: z.string(),
});
export type Usage = z.infer<typeof usageSchema>;

export const portSchema = z.object({ port: z.number().int(), address: z.string(), process: z.string().nullable() });

export const workspaceSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: workspaceStateSchema,
  box: boxStateSchema,
  epoch: z.number().int(),
  /** One sentence for people: why it is awake, asleep or failed. */
  why: z.string(),
  error: failureSchema.nullable(),
  runtime: z.string(),
  rootfs: z.enum(["template", "host", "image"]).nullable(),
  /** Name of the template whose root file system it has; null for the runtime's own. */
  template: z.string().nullable(),
  /** What starts the program that its template is for, as in `npm run dev`. */
  start: z.string().nullable(),
  /** Ports on which that program listens. */
  expectedPorts: z.array(z.number().int()),
  /** The snapshot that it was forked from; `workspace` may be gone by now. */
  origin: z.object({ workspace: z.string(), snapshot: z.string() }).nullable(),
  /** The snapshot that the files came from last: the parent of the next one. */
  base: z.string().nullable(),
  limits: limitsSchema,
  network: networkSchema,
  lifetime: lifetimeSchema,
  usage: usageSchema.nullable(),
  ports: z.array(portSchema),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  /** Milliseconds from the request to the first answer of the box; null until it has started once. */
  startMs: z.number().nullable(),
});
export type Workspace = z.infer<typeof workspaceSchema>;

export const createWorkspaceSchema = z.object({
  name: nameSchema.optional(),
  template: z.string().max(80).optional(),
  runtime: z.enum(["embedded", "docker"]).optional(),
  limits: limitsSchema.optional(),
  network: networkSchema.optional(),
  lifetime: lifetimeSchema.optional(),
  /** Id of a snapshot: the new workspace is a fork of it. */
  from: z.string().optional(),
});
export type CreateWorkspace = z.infer<typeof createWorkspaceSchema>;
/** Limits, network and lifetime are replaced as a whole and hold at once, also for a box that runs. */
export const updateWorkspaceSchema = z.object({
  name: nameSchema.optional(),
  limits: limitsSchema.optional(),
  network: networkSchema.optional(),
  lifetime: lifetimeSchema.optional(),
});
export type UpdateWorkspace = z.infer<typeof updateWorkspaceSchema>;

export const snapshotSchema = z.object({
  id: z.string(),
  workspace: z.string(),
  name: z.string().nullable(),
  run: z.string().nullable(),
  /** The snapshot that the files came from: one tree for each workspace. */
  parent: z.string().nullable(),
  createdAt: z.string(),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

export const changeSchema = z.object({
  path: z.string(),
  change: z.enum(["added", "modified", "deleted"]),
  kind: z.enum(["file", "folder", "link", "other"]),
  size: z.number().int().nullable(),
});
export type Change = z.infer<typeof changeSchema>;

/** What differs in one file between two snapshots, as a unified diff; null for files that are not text or too large to show. */
export const fileDiffSchema = z.object({
  path: z.string(),
  diff: z.string().nullable(),
  why: z.enum(["text", "binary", "large"]),
});
export type FileDiff = z.infer<typeof fileDiffSchema>;

export const forkSchema = z.object({ name: nameSchema.optional(), snapshot: z.string().optional() });

export const execRequestSchema = z.object({
  command: z.array(z.string().max(131_072)).min(1).max(4_096),
  directory: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  /** Text given to the command's standard input, then closed. */
  stdin: z.string().optional(),
  /** Present when `stdin` is not text, but base64. */
  stdinEncoding: z.literal("base64").optional(),
  timeoutMs: z.number().int().min(1).max(86_400_000).optional(),
});
export type ExecRequest = z.infer<typeof execRequestSchema>;
export const execResultSchema = z.object({ exitCode: z.number().int(), stdout: z.string(), stderr: z.string() });
export type ExecResult = z.infer<typeof execResultSchema>;
/** Present when the bytes are not UTF-8: each character of `data` is then one byte. */
const outputEncoding = z.literal("latin1").optional();
/** SSE events of `exec`: `stdout` and `stderr` carry text, `exit` the code (128 + signal when killed). */
export const execEventSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("stdout"), data: z.string(), encoding: outputEncoding }),
  z.object({ kind: z.literal("stderr"), data: z.string(), encoding: outputEncoding }),
  z.object({ kind: z.literal("exit"), exitCode: z.number().int() }),
]);
export type ExecEvent = z.infer<typeof execEventSchema>;

export const fileEntrySchema = z.object({
  name: z.string(),
  /** Only for a name that is not UTF-8: its bytes, percent-encoded, to be used in URLs in place of `name`. */
  encodedName: z.string().optional(),
  kind: z.enum(["file", "folder", "link", "other"]),
  size: z.number().int(),
  modifiedAt: z.string(),
  mode: z.number().int(),
});
export type FileEntry = z.infer<typeof fileEntrySchema>;
export const listingSchema = z.object({ path: z.string(), items: z.array(fileEntrySchema), truncated: z.boolean() });
export type Listing = z.infer<typeof listingSchema>;
export const moveFileSchema = z.object({ from: z.string(), to: z.string(), replace: z.boolean().optional() });

export const terminalSchema = z.object({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  cols: z.number().int(),
  rows: z.number().int(),
  /** Byte offset of the end of its output so far. */
  end: z.number().int(),
  persistent: z.boolean(),
  createdAt: z.string(),
});
export type Terminal = z.infer<typeof terminalSchema>;
export const createTerminalSchema = z.object({
  name: z.string().max(80).optional(),
  cols: z.number().int().min(2).max(1000).default(80),
  rows: z.number().int().min(2).max(1000).default(24),
  directory: z.string().optional(),
});

/**
 * Terminal WebSocket: binary frames, the first byte is the kind.
 * Server → client: output `0x00, u64 big-endian byte offset of the first byte, bytes`; reset `0x01, u64 offset` (older output is gone: clear the
 * screen, what follows redraws it); exit `0x02, JSON { exitCode }`.
 * Client → server: input `0x10, bytes`; resize `0x11, u16 columns, u16 rows`, both big-endian.
 */
export const terminalFrame = { output: 0x00, reset: 0x01, exit: 0x02, input: 0x10, resize: 0x11 } as const;
