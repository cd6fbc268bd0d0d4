import { createKeyedQueue } from "@alcove/base/keyed-queue";
import { hostPatternSchema, withAllowedHost } from "@alcove/contract/api/network";
import { workspaceSchema } from "@alcove/contract/api/workspace";
import { createRoute, z } from "@hono/zod-openapi";
import type { PortWatch } from "../../workspaces/ports.ts";
import type { Workspaces } from "../../workspaces/workspaces.ts";
import type { WorkspaceStore } from "../../workspaces/workspace-store.ts";
import { workspaceView } from "../../workspaces/workspace-view.ts";
import type { ApiApp } from "../api-app.ts";
import { answers, json, jsonBody } from "../openapi.ts";

interface Parts {
  readonly workspaces: Workspaces;
  readonly store: WorkspaceStore;
  readonly ports: PortWatch;
  readonly stopping: AbortSignal;
}

/** What somebody does about a denial. The rest of a workspace's network is changed with the workspace. */
export function addNetworkRoutes(app: ApiApp, { workspaces, store, ports, stopping }: Parts): void {
  // Two clicks at once must not each write a list without the other's host.
  const turns = createKeyedQueue();

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/network/allow",
      summary:
        "Add a host to the allow-list; holds at once, and may be repeated. Where nothing was allowed, it becomes the only host",
      request: { params: z.object({ id: z.string() }), body: jsonBody(z.object({ host: hostPatternSchema })) },
      responses: { 200: json("The workspace", workspaceSchema), ...answers },
    }),
    async (context) => {
      const user = context.get("user");
      const { host } = context.req.valid("json");
      const { id } = await store.owned(user, context.req.valid("param").id);
      const row = await turns.run(id, async () => {
        const before = await store.owned(user, id);
        return workspaces.change(before, { network: withAllowedHost(before.network, host) }, stopping);
      });
      return context.json(workspaceView(row, row.box === "running" ? ports.of(row.id) : [], null), 200);
    },
  );
}
