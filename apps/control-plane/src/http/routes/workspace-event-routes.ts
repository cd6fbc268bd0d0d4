import { createRoute, z } from "@hono/zod-openapi";
import { pageSchema } from "@alcove/contract/api/problem";
import { workspaceEventSchema } from "@alcove/contract/api/workspace-event";
import type { Workspaces } from "../../workspaces/workspaces.ts";
import type { WorkspaceEvents } from "../../workspaces/workspace-events.ts";
import type { WorkspaceStore } from "../../workspaces/workspace-store.ts";
import type { ApiApp } from "../api-app.ts";
import { answers, json } from "../openapi.ts";

interface Parts {
  readonly workspaces: Workspaces;
  readonly workspaceEvents: WorkspaceEvents;
  readonly store: WorkspaceStore;
}

const idParam = z.object({ id: z.string() });
const seq = z.coerce.number().int().min(0).max(2_147_483_647).optional();
const longestLog = 4 * 2 ** 20;

/** What happened to a workspace, and what its box printed. Neither wakes it. */
export function addWorkspaceEventRoutes(app: ApiApp, { workspaces, workspaceEvents, store }: Parts): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/workspaces/{id}/events",
      summary: "What happened to a workspace: the newest first, or in order behind `after`",
      request: {
        params: idParam,
        query: z.object({ after: seq, before: seq, limit: z.coerce.number().int().min(1).max(500).default(100) }),
      },
      responses: { 200: json("Events", pageSchema(workspaceEventSchema)), ...answers },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      const { after, before, limit } = context.req.valid("query");
      const found = await workspaceEvents.page(id, { after, before, limit: limit + 1 });
      const items = found.slice(0, limit);
      return context.json({ items, next: found.length > limit ? String(items.at(-1)?.seq ?? 0) : null }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/workspaces/{id}/log",
      summary: "The end of what the box itself printed; also after it has ended",
      request: {
        params: idParam,
        query: z.object({ maxBytes: z.coerce.number().int().min(1).max(longestLog).default(65_536) }),
      },
      responses: {
        200: { description: "Lines of JSON and plain text", content: { "text/plain": { schema: z.string() } } },
        ...answers,
      },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      const text = await workspaces.log(id, context.req.valid("query").maxBytes, context.req.raw.signal);
      return context.text(text, 200);
    },
  );
}
