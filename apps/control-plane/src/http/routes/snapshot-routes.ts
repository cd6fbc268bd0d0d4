import { Readable } from "node:stream";
import { createRoute, z } from "@hono/zod-openapi";
import { pageSchema } from "@alcove/contract/api/problem";
import {
  changeSchema,
  fileDiffSchema,
  forkSchema,
  nameSchema,
  snapshotSchema,
  workspaceSchema,
} from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { isId, newId, type SnapshotId } from "@alcove/contract/ids";
import type { ArchiveImports } from "../../workspaces/import-archive.ts";
import type { Snapshots } from "../../workspaces/snapshots.ts";
import type { Workspaces } from "../../workspaces/workspaces.ts";
import type { WorkspaceStore } from "../../workspaces/workspace-store.ts";
import { workspaceView } from "../../workspaces/workspace-view.ts";
import { bodyOf, queryOf, type ApiApp } from "../api-app.ts";
import { contentHeaders } from "../content-headers.ts";
import { addStreamRoute, answers, bytes, gzip, downloadQuery, json, jsonBody } from "../openapi.ts";
import { restOfPath } from "../rest-of-path.ts";

interface Parts {
  readonly workspaces: Workspaces;
  readonly store: WorkspaceStore;
  readonly snapshots: Snapshots;
  readonly imports: ArchiveImports;
  readonly stopping: AbortSignal;
}

const snapshotId = z.string().refine((text): text is SnapshotId => isId("snapshot", text), "is not a snapshot id");
const idParam = z.object({ id: z.string() });
const snapshotParam = idParam.extend({ snapshot: snapshotId });
const snapshotName = z.string().min(1).max(80);
const importQuery = z.object({ name: nameSchema.optional() });

/** Snapshots of a workspace and what is made of them. None of these wakes it, but for a restore of one that ran. */
export function addSnapshotRoutes(app: ApiApp, { workspaces, store, snapshots, imports, stopping }: Parts): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/workspaces/{id}/snapshots",
      summary: "List snapshots, newest first, each with its parent",
      request: { params: idParam },
      responses: { 200: json("Snapshots", pageSchema(snapshotSchema)), ...answers },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      return context.json({ items: await snapshots.list(id), next: null }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/snapshots",
      summary: "Take a snapshot of the workspace's files while it runs",
      request: { params: idParam, body: jsonBody(z.object({ name: snapshotName.optional() })) },
      responses: { 201: json("The snapshot", snapshotSchema), ...answers },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      const { name } = context.req.valid("json");
      const taken = await snapshots.take(id, newId("snapshot"), { name: name ?? null, run: null }, stopping);
      return context.json(taken, 201);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/workspaces/{id}/snapshots/{snapshot}",
      summary: "Name a snapshot, which then stays; null takes the name away",
      request: { params: snapshotParam, body: jsonBody(z.object({ name: snapshotName.nullable() })) },
      responses: { 200: json("The snapshot", snapshotSchema), ...answers },
    }),
    async (context) => {
      const { id: name, snapshot } = context.req.valid("param");
      const { id } = await store.owned(context.get("user"), name);
      return context.json(await snapshots.rename(id, snapshot, context.req.valid("json").name), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/workspaces/{id}/snapshots/{snapshot}",
      summary: "Delete any snapshot of the tree; what came after it stays",
      request: { params: snapshotParam },
      responses: { 204: { description: "It is gone" }, ...answers },
    }),
    async (context) => {
      const { id: name, snapshot } = context.req.valid("param");
      const { id } = await store.owned(context.get("user"), name);
      await snapshots.remove(id, snapshot, stopping);
      return context.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/snapshots/{snapshot}/restore",
      summary:
        "Put all files back; the box is started again if it ran, and what was there until then becomes a snapshot",
      request: { params: snapshotParam },
      responses: {
        200: json("The workspace, and the way back", z.object({ workspace: workspaceSchema, safety: snapshotSchema })),
        ...answers,
      },
    }),
    async (context) => {
      const { id: name, snapshot } = context.req.valid("param");
      const row = await store.owned(context.get("user"), name);
      const safety = await snapshots.restore(row, snapshot, stopping);
      const now = await store.byId(row.id);
      if (!now) throw new CodedError("not_found");
      return context.json({ workspace: workspaceView(now, [], null), safety }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/fork",
      summary: "A new workspace with the files of a snapshot, or of this moment",
      request: { params: idParam, body: jsonBody(forkSchema) },
      responses: { 201: json("The new workspace, being made", workspaceSchema), ...answers },
    }),
    async (context) => {
      const row = await store.owned(context.get("user"), context.req.valid("param").id);
      const { name, snapshot } = context.req.valid("json");
      const of = snapshot === undefined ? undefined : snapshotOf(snapshot);
      const fork = await snapshots.fork(row, { name, snapshot: of }, stopping);
      return context.json(workspaceView(fork, [], null), 201);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/workspaces/{id}/changes",
      summary: "What changed between two snapshots, also of two workspaces, or since one until now",
      request: { params: idParam, query: z.object({ from: snapshotId, to: snapshotId.optional() }) },
      responses: { 200: json("Changes, by path", pageSchema(changeSchema)), ...answers },
    }),
    async (context) => {
      const row = await store.owned(context.get("user"), context.req.valid("param").id);
      const { from, to } = context.req.valid("query");
      const items = await snapshots.changes(row, from, to ?? null, stopping);
      return context.json({ items, next: null }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/workspaces/{id}/diff",
      summary: "What changed in one text file between two snapshots",
      request: {
        params: idParam,
        query: z.object({ from: snapshotId, to: snapshotId, path: z.string().min(1).max(4_096) }),
      },
      responses: { 200: json("A unified diff", fileDiffSchema), ...answers },
    }),
    async (context) => {
      const row = await store.owned(context.get("user"), context.req.valid("param").id);
      const { from, to, path } = context.req.valid("query");
      return context.json(await snapshots.diff(row, { from, to }, path, context.req.raw.signal), 200);
    },
  );

  addStreamRoute(
    app,
    {
      method: "get",
      path: "/workspaces/{id}/snapshots/{snapshot}/files/{path}",
      summary: "A file as a snapshot has it",
      query: downloadQuery,
      gives: { 200: { description: "The file", content: bytes } },
    },
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.param("id") ?? "");
      const snapshot = snapshotOf(context.req.param("snapshot"));
      const path = restOfPath(context.req.url, 7);
      const stream = await workspaces.readSnapshot(id, snapshot, path, context.req.raw.signal);
      return streamed(stream, contentHeaders(path, { size: null, download: context.req.query("download") === "true" }));
    },
  );

  addStreamRoute(
    app,
    {
      method: "get",
      path: "/workspaces/{id}/export",
      summary: "All files of a workspace, of a snapshot or of this moment, as `POST /workspaces/import` takes them",
      query: z.object({ snapshot: snapshotId.optional() }),
      gives: { 200: { description: "A gzipped tar", content: gzip } },
    },
    async (context) => {
      const row = await store.owned(context.get("user"), context.req.param("id") ?? "");
      const snapshot = context.req.query("snapshot");
      const of = snapshot === undefined ? null : snapshotOf(snapshot);
      const stream = await snapshots.export(row.id, of, context.req.raw.signal);
      const disposition = `attachment; filename="${row.name}.tar.gz"`;
      return streamed(stream, { "content-type": "application/gzip", "content-disposition": disposition });
    },
  );

  addStreamRoute(
    app,
    {
      method: "post",
      path: "/workspaces/import",
      summary: "A new workspace of an archive, as an export writes it",
      query: importQuery,
      takes: { ...gzip, "application/x-tar": gzip["application/gzip"] },
      gives: { 201: json("The new workspace", workspaceSchema) },
    },
    async (context) => {
      const { name } = queryOf(context, importQuery);
      const archive = bodyOf(context, "archive");
      const signal = AbortSignal.any([context.req.raw.signal, stopping]);
      const row = await imports.import({ owner: context.get("user"), name, archive, signal });
      return context.json(workspaceView(row, [], null), 201);
    },
  );
}

function snapshotOf(text = ""): SnapshotId {
  if (isId("snapshot", text)) return text;
  throw new CodedError("not_found", "There is no such snapshot of this workspace.");
}

function streamed(stream: Readable, headers: Record<string, string>): Response {
  return new Response(Readable.toWeb(stream), { headers });
}
