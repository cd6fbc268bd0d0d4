import { createRoute, z } from "@hono/zod-openapi";
import {
  createTerminalSchema,
  createWorkspaceSchema,
  terminalSchema,
  updateWorkspaceSchema,
  workspaceSchema,
  type Workspace,
} from "@alcove/contract/api/workspace";
import { pageQuerySchema, pageSchema } from "@alcove/contract/api/problem";
import { CodedError } from "@alcove/contract/errors";
import type { WorkspaceId } from "@alcove/contract/ids";
import type { PortWatch } from "../../workspaces/ports.ts";
import type { Snapshots } from "../../workspaces/snapshots.ts";
import type { UsageReader } from "../../workspaces/usage.ts";
import type { Workspaces } from "../../workspaces/workspaces.ts";
import type { WorkspaceRow, WorkspaceStore } from "../../workspaces/workspace-store.ts";
import { workspaceView } from "../../workspaces/workspace-view.ts";
import type { ApiApp } from "../api-app.ts";
import { answers, json, jsonBody } from "../openapi.ts";

interface Parts {
  readonly workspaces: Workspaces;
  readonly store: WorkspaceStore;
  readonly snapshots: Snapshots;
  readonly ports: PortWatch;
  readonly usage: UsageReader;
  readonly stopping: AbortSignal;
}

const idParam = z.object({ id: z.string() });

export function addWorkspaceRoutes(app: ApiApp, { workspaces, store, snapshots, ports, usage, stopping }: Parts): void {
  const show = (row: WorkspaceRow, figures: Workspace["usage"]) => {
    if (row.box === "running") ports.attend(row.id);
    return workspaceView(row, row.box === "running" ? ports.of(row.id) : [], figures);
  };
  const view = (row: WorkspaceRow) => show(row, null);
  const fresh = async (id: WorkspaceId) => {
    const row = await store.byId(id);
    if (!row) throw new CodedError("not_found");
    return view(row);
  };

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces",
      summary: "Make a workspace",
      request: { body: jsonBody(createWorkspaceSchema) },
      responses: { 201: json("The workspace, being made", workspaceSchema), ...answers },
    }),
    async (context) => {
      const { from, ...wish } = context.req.valid("json");
      const owner = context.get("user");
      const origin = from === undefined ? undefined : await snapshots.origin(owner, from);
      return context.json(view(await workspaces.create(owner, wish, origin)), 201);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/workspaces",
      summary: "List workspaces, newest first; wakes none",
      request: { query: pageQuerySchema },
      responses: { 200: json("A page of workspaces", pageSchema(workspaceSchema)), ...answers },
    }),
    async (context) => {
      const { limit, cursor } = context.req.valid("query");
      const rows = await store.list(context.get("user"), limit + 1, cursor);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const next = rows.length > limit && last ? `${last.createdAt.toISOString()}~${last.id}` : null;
      const figures = await usage.all(context.req.raw.signal);
      return context.json({ items: page.map((row) => show(row, figures(row.id))), next }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/workspaces/{id}",
      summary: "One workspace, by id or name; does not wake it",
      request: { params: idParam },
      responses: { 200: json("The workspace", workspaceSchema), ...answers },
    }),
    async (context) => {
      const row = await store.owned(context.get("user"), context.req.valid("param").id);
      return context.json(show(row, await usage.of(row.id, context.req.raw.signal)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/workspaces/{id}",
      summary: "Change name, limits, network or lifetime; holds at once, also while it runs",
      request: { params: idParam, body: jsonBody(updateWorkspaceSchema) },
      responses: { 200: json("The workspace", workspaceSchema), ...answers },
    }),
    async (context) => {
      const row = await store.owned(context.get("user"), context.req.valid("param").id);
      return context.json(view(await workspaces.change(row, context.req.valid("json"), stopping)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/workspaces/{id}",
      summary: "Delete a workspace with its files; always works",
      request: { params: idParam },
      responses: { 202: { description: "It is being deleted" }, ...answers },
    }),
    async (context) => {
      await workspaces.remove(await store.owned(context.get("user"), context.req.valid("param").id));
      return context.body(null, 202);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/start",
      summary: "Start the workspace's box, if it does not run",
      request: { params: idParam },
      responses: { 200: json("The workspace, awake", workspaceSchema), ...answers },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      await workspaces.box(id, stopping);
      return context.json(await fresh(id), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/stop",
      summary: "Stop the workspace's box; its files stay",
      request: { params: idParam },
      responses: { 200: json("The workspace, asleep", workspaceSchema), ...answers },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      await workspaces.stop(id, "Asleep: you stopped it", stopping);
      return context.json(await fresh(id), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/workspaces/{id}/terminals",
      summary: "List terminals; wakes the workspace unless `wake` is false, and then tells of none while it sleeps",
      request: { params: idParam, query: z.object({ wake: z.enum(["true", "false"]).optional() }) },
      responses: { 200: json("Terminals", pageSchema(terminalSchema)), ...answers },
    }),
    async (context) => {
      const row = await store.owned(context.get("user"), context.req.valid("param").id);
      const wake = context.req.valid("query").wake !== "false";
      const box = wake ? await workspaces.reach(row.id, stopping) : workspaces.awakeBox(row);
      if (!box) return context.json({ items: [], next: null }, 200);
      const items = await box.json(z.array(terminalSchema), { path: "/v1/terminals", signal: context.req.raw.signal });
      return context.json({ items, next: null }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/terminals",
      summary: "Open a terminal",
      request: { params: idParam, body: jsonBody(createTerminalSchema) },
      responses: { 201: json("The terminal", terminalSchema), ...answers },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      const box = await workspaces.reach(id, stopping);
      const body = JSON.stringify(context.req.valid("json"));
      const headers = { "content-type": "application/json" };
      return context.json(
        await box.json(terminalSchema, { method: "POST", path: "/v1/terminals", headers, body, signal: stopping }),
        201,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/workspaces/{id}/terminals/{terminal}",
      summary: "End a terminal",
      request: { params: idParam.extend({ terminal: z.string().max(80) }) },
      responses: { 204: { description: "It has ended" }, ...answers },
    }),
    async (context) => {
      const { id: name, terminal } = context.req.valid("param");
      const { id } = await store.owned(context.get("user"), name);
      const box = await workspaces.box(id, stopping);
      const answer = await box.request({
        method: "DELETE",
        path: `/v1/terminals/${encodeURIComponent(terminal)}`,
        signal: stopping,
      });
      answer.resume();
      return context.body(null, 204);
    },
  );
}
