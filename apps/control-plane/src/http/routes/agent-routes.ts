import { createRoute, z } from "@hono/zod-openapi";
import { agentSchema, providerSchema, putProviderSchema } from "@alcove/contract/api/agent";
import { pageSchema } from "@alcove/contract/api/problem";
import { nameSchema } from "@alcove/contract/api/workspace";
import type { AgentShelf } from "../../agents/agent-shelf.ts";
import type { Providers } from "../../providers/providers.ts";
import type { ApiApp } from "../api-app.ts";
import { answers, json, jsonBody } from "../openapi.ts";

interface Parts {
  readonly shelf: AgentShelf;
  readonly providers: Providers;
  readonly stopping: AbortSignal;
}

const nameParam = z.object({ name: z.string().max(64) });
const newNameParam = z.object({ name: nameSchema });

export function addAgentRoutes(app: ApiApp, { shelf, providers, stopping }: Parts): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/agents",
      summary: "Agents that can work here",
      responses: { 200: json("Agents", pageSchema(agentSchema)), ...answers },
    }),
    async (context) => context.json({ items: await shelf.list(context.get("user")), next: null }, 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/agents/{name}/install",
      summary: "Install an agent for all workspaces; a run does it by itself when it is needed",
      request: { params: nameParam },
      responses: { 202: json("The agent, being installed", agentSchema), ...answers },
    }),
    async (context) =>
      context.json(await shelf.beginInstall(context.get("user"), context.req.valid("param").name), 202),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/providers",
      summary: "Connected model providers",
      responses: { 200: json("Providers", pageSchema(providerSchema)), ...answers },
    }),
    async (context) => context.json({ items: await providers.list(context.get("user")), next: null }, 200),
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/providers/{name}",
      summary: "Connect a provider, or replace its key; the key is checked and never given back",
      request: { params: newNameParam, body: jsonBody(putProviderSchema) },
      responses: { 200: json("The provider", providerSchema), ...answers },
    }),
    async (context) =>
      context.json(
        await providers.put(context.get("user"), context.req.valid("param").name, context.req.valid("json"), stopping),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/providers/{name}",
      summary: "Forget a provider and its key",
      request: { params: nameParam },
      responses: { 204: { description: "It is forgotten" }, ...answers },
    }),
    async (context) => {
      await providers.remove(context.get("user"), context.req.valid("param").name);
      return context.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/providers/{name}/check",
      summary: "Ask the provider whether the key works",
      request: { params: nameParam },
      responses: { 200: json("The provider", providerSchema), ...answers },
    }),
    async (context) =>
      context.json(await providers.check(context.get("user"), context.req.valid("param").name, stopping), 200),
  );
}
