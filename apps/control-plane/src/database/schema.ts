import {
  bigint,
  boolean,
  doublePrecision,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from "drizzle-orm/pg-core";
import type { Failure } from "@alcove/contract/api/problem";
import type { Lifetime } from "@alcove/contract/api/lifetime";
import type { Network } from "@alcove/contract/api/network";
import type { BoxStateName, Limits, WorkspaceState } from "@alcove/contract/api/workspace";
import type { TemplateSource } from "@alcove/contract/api/template";
import type { TreeRecipe } from "@alcove/contract/host";
import type { RunState } from "@alcove/contract/api/run";
import type { ProviderKind } from "@alcove/contract/api/agent";

const time = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

interface GivenToBoxes {
  readonly env: Record<string, string>;
  readonly start: string | null;
  readonly ports: number[];
}

/** A root file system of the host process; no recipe for one that was given. */
export interface TreeRoot extends GivenToBoxes {
  readonly kind: "tree";
  readonly tree: string;
  readonly recipe: TreeRecipe | null;
}

/** An image of Docker; null until it is built, no build for one that Docker has. */
export interface ImageRoot extends GivenToBoxes {
  readonly kind: "image";
  readonly image: string | null;
  /** SHA-256 of the build context's tar, which is kept, and what is built of it. */
  readonly build: {
    readonly context: string;
    readonly dockerfile: string;
    readonly args: Record<string, string>;
  } | null;
  readonly onCreate: string[];
  readonly onStart: string[];
}

/** What boxes of a template lie over, with what they are given at their start. */
export type TemplateRoot = TreeRoot | ImageRoot;

export const templates = pgTable(
  "templates",
  {
    ownerId: text("owner_id").notNull(),
    name: text().notNull(),
    title: text().notNull(),
    description: text().notNull(),
    start: text(),
    ports: jsonb().$type<number[]>().notNull(),
    source: text().$type<Exclude<TemplateSource, "catalogue">>().notNull(),
    root: jsonb().$type<TemplateRoot>().notNull(),
    lacks: jsonb().$type<string[]>().notNull().default([]),
    createdAt: time("created_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.name] })],
);

export const workspaces = pgTable("workspaces", {
  id: text().primaryKey(),
  ownerId: text("owner_id").notNull(),
  name: text().notNull(),
  state: text().$type<WorkspaceState>().notNull(),
  box: text().$type<BoxStateName>().notNull().default("none"),
  epoch: integer().notNull().default(0),
  why: text().notNull(),
  error: jsonb().$type<Failure>(),
  runtime: text().$type<"embedded" | "docker">().notNull(),
  rootfs: text().$type<"template" | "host" | "image">(),
  template: text(),
  templateRoot: jsonb("template_root").$type<TemplateRoot>(),
  originWorkspace: text("origin_workspace"),
  originSnapshot: text("origin_snapshot"),
  baseSnapshot: text("base_snapshot"),
  limits: jsonb().$type<Limits>().notNull().default({}),
  network: jsonb().$type<Network>().notNull().default({ mode: "open", allow: [] }),
  lifetime: jsonb().$type<Lifetime>().notNull().default({}),
  activeAt: time("active_at").notNull().defaultNow(),
  deaths: integer().notNull().default(0),
  restartAt: time("restart_at"),
  /** When the workspace is woken for an entry of its crontab. */
  wakeAt: time("wake_at"),
  createdAt: time("created_at").notNull().defaultNow(),
  startedAt: time("started_at"),
  startMs: integer("start_ms"),
  /** The replica that unpacks an archive into it. */
  importedBy: text("imported_by"),
});

export type JobKind = "create" | "start" | "stop" | "freeze" | "thaw" | "change" | "delete" | "revert" | "restore";

export const workspaceJobs = pgTable("workspace_jobs", {
  id: bigint({ mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
  workspaceId: text("workspace_id").notNull(),
  kind: text().$type<JobKind>().notNull(),
  replicaId: text("replica_id").notNull(),
  createdAt: time("created_at").notNull().defaultNow(),
  deadlineAt: time("deadline_at").notNull(),
  endedAt: time("ended_at"),
  error: jsonb().$type<Failure>(),
});

export const snapshots = pgTable("snapshots", {
  id: text().primaryKey(),
  workspaceId: text("workspace_id").notNull(),
  name: text(),
  /** Taken before files were put back: its name is the server's, and does not make it stay. */
  automatic: boolean().notNull().default(false),
  runId: text("run_id"),
  parentId: text("parent_id"),
  state: text().$type<"taking" | "ready" | "deleting">().notNull().default("ready"),
  createdAt: time("created_at").notNull().defaultNow(),
});

export const workspaceEvents = pgTable(
  "workspace_events",
  {
    workspaceId: text("workspace_id").notNull(),
    seq: integer().notNull(),
    at: time("at").notNull().defaultNow(),
    kind: text().notNull(),
    text: text().notNull(),
    data: jsonb().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.seq] })],
);

export const sessions = pgTable("sessions", {
  id: text().primaryKey(),
  workspaceId: text("workspace_id").notNull(),
  ownerId: text("owner_id").notNull(),
  agent: text().notNull(),
  title: text().notNull(),
  createdAt: time("created_at").notNull().defaultNow(),
});

const count = (name: string) => bigint(name, { mode: "number" }).notNull().default(0);

export const runs = pgTable("runs", {
  id: text().primaryKey(),
  sessionId: text("session_id").notNull(),
  workspaceId: text("workspace_id").notNull(),
  ownerId: text("owner_id").notNull(),
  agent: text().notNull(),
  model: text(),
  mode: text().$type<"process" | "ask" | "plan">().notNull(),
  prompt: text().notNull(),
  directory: text(),
  title: text().notNull(),
  state: text().$type<RunState>().notNull(),
  error: jsonb().$type<Failure>(),
  text: text().notNull().default(""),
  inputTokens: count("input_tokens"),
  outputTokens: count("output_tokens"),
  cacheReadTokens: count("cache_read_tokens"),
  cacheWriteTokens: count("cache_write_tokens"),
  requests: integer().notNull().default(0),
  costUsd: doublePrecision("cost_usd"),
  idempotencyKey: text("idempotency_key"),
  requestHash: text("request_hash"),
  traceId: text("trace_id").notNull(),
  lease: integer().notNull().default(0),
  lastSeq: integer("last_seq").notNull().default(0),
  folded: integer("folded").notNull().default(0),
  tokenHash: text("token_hash"),
  snapshotBefore: text("snapshot_before"),
  snapshotAfter: text("snapshot_after"),
  undo: text().$type<"none" | "possible" | "done">().notNull().default("none"),
  cancelRequestedAt: time("cancel_requested_at"),
  createdAt: time("created_at").notNull().defaultNow(),
  startedAt: time("started_at"),
  endedAt: time("ended_at"),
});
export type RunRow = typeof runs.$inferSelect;

export const runEvents = pgTable(
  "run_events",
  {
    runId: text("run_id").notNull(),
    seq: integer().notNull(),
    at: time("at").notNull().defaultNow(),
    kind: text().notNull(),
    data: jsonb().notNull(),
    raw: jsonb(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.seq] })],
);

export const runFiles = pgTable(
  "run_files",
  {
    runId: text("run_id").notNull(),
    path: text().notNull(),
    change: text().$type<"added" | "modified" | "deleted">().notNull(),
    kind: text().$type<"file" | "folder" | "link" | "other">().notNull(),
    size: bigint({ mode: "number" }),
    deliverable: boolean().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.path] })],
);

export interface ApprovalOption {
  readonly id: string;
  readonly label: string;
  readonly kind: "allow_once" | "allow_always" | "reject_once" | "reject_always";
}

export const approvals = pgTable("approvals", {
  id: text().primaryKey(),
  runId: text("run_id").notNull(),
  workspaceId: text("workspace_id").notNull(),
  ownerId: text("owner_id").notNull(),
  permissionId: text("permission_id").notNull(),
  title: text().notNull(),
  subject: text(),
  options: jsonb().$type<ApprovalOption[]>().notNull(),
  state: text().$type<"open" | "answered" | "expired">().notNull().default("open"),
  answer: text(),
  createdAt: time("created_at").notNull().defaultNow(),
  endedAt: time("ended_at"),
});

export const providers = pgTable(
  "providers",
  {
    ownerId: text("owner_id").notNull(),
    name: text().notNull(),
    kind: text().$type<ProviderKind>().notNull(),
    baseUrl: text("base_url").notNull(),
    keySealed: text("key_sealed").notNull(),
    keyEnding: text("key_ending").notNull(),
    source: text().$type<"settings" | "environment">().notNull(),
    state: text().$type<"unchecked" | "works" | "refused" | "unreachable">().notNull().default("unchecked"),
    error: jsonb().$type<Failure>(),
    checkedAt: time("checked_at"),
    models: jsonb().$type<string[]>().notNull().default([]),
    updatedAt: time("updated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.name] })],
);

export const replicas = pgTable("replicas", {
  id: text().primaryKey(),
  lockKey: bigint("lock_key", { mode: "number" }).notNull(),
  startedAt: time("started_at").notNull().defaultNow(),
});
