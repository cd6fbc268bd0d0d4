import { createRoute, z } from "@hono/zod-openapi";
import {
  apiKeySchema,
  createKeySchema,
  createdKeySchema,
  meSchema,
  type System,
  systemSchema,
  updateMeSchema,
  welcomeSchema,
} from "@alcove/contract/api/account";
import { changeNoticeSchema } from "@alcove/contract/api/event";
import { pageSchema } from "@alcove/contract/api/problem";
import { CodedError } from "@alcove/contract/errors";
import type { Database } from "../../database/database.ts";
import { isNoticeCursor, newestCursor, noticesAfter } from "../../events/notices.ts";
import type { Wake } from "../../events/wake.ts";
import type { Identity } from "../../identity/identity.ts";
import type { ApiApp } from "../api-app.ts";
import { answers, json, jsonBody } from "../openapi.ts";
import { sseResponse } from "../sse.ts";

export interface AccountParts {
  readonly identity: Identity;
  readonly database: Database;
  readonly wake: Wake;
  readonly version: string;
  readonly address: () => string;
  readonly dataDirectory: string;
  readonly hostFindings: (signal: AbortSignal) => Promise<Pick<System, "findings" | "template" | "load">>;
  readonly stopping: AbortSignal;
}

/** What anybody may ask. */
export function addPublicRoutes(app: ApiApp, { identity, version }: AccountParts): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/welcome",
      summary: "What the sign-in page needs to know",
      security: [],
      responses: { 200: json("The server", welcomeSchema), ...answers },
    }),
    async (context) =>
      context.json({ product: "alcove" as const, version, ownerHasPassword: await identity.ownerHasPassword() }, 200),
  );
}

export function addAccountRoutes(app: ApiApp, parts: AccountParts): void {
  const { identity, database, wake, stopping } = parts;

  app.openapi(
    createRoute({
      method: "get",
      path: "/me",
      summary: "Who you are",
      responses: { 200: json("You", meSchema), ...answers },
    }),
    async (context) => context.json(await identity.me(context.get("user")), 200),
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/me",
      summary: "Change your name, e-mail or password",
      request: { body: jsonBody(updateMeSchema) },
      responses: { 200: json("You", meSchema), ...answers },
    }),
    async (context) => context.json(await identity.updateMe(context.get("user"), context.req.valid("json")), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/keys",
      summary: "Your API keys",
      responses: { 200: json("Keys", pageSchema(apiKeySchema)), ...answers },
    }),
    async (context) => context.json({ items: await identity.keys(context.get("user")), next: null }, 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/keys",
      summary: "Make an API key; it is shown this once",
      request: { body: jsonBody(createKeySchema) },
      responses: { 201: json("The key", createdKeySchema), ...answers },
    }),
    async (context) => context.json(await identity.createKey(context.get("user"), context.req.valid("json").name), 201),
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/keys/{id}",
      summary: "Revoke an API key",
      request: { params: z.object({ id: z.string() }) },
      responses: { 204: { description: "It is revoked" }, ...answers },
    }),
    async (context) => {
      await identity.removeKey(context.get("user"), context.req.valid("param").id);
      return context.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/sign-in-links",
      summary: "A link that signs the owner in once; for the owner on the server itself",
      responses: { 201: json("The link", z.object({ url: z.string() })), ...answers },
    }),
    async (context) => {
      if (context.get("user") !== (await identity.owner())) throw new CodedError("not_allowed");
      return context.json({ url: `${parts.address()}${await identity.ownerLink()}` }, 201);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/system",
      summary: "What this server can and cannot do, and the command that would mend it",
      responses: { 200: json("The server", systemSchema), ...answers },
    }),
    async (context) => {
      const { version, address, dataDirectory } = parts;
      const host = await parts.hostFindings(context.req.raw.signal);
      return context.json({ version, address: address(), dataDirectory, ...host }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/events",
      summary: "What changed of all that you may see, as server-sent events; read the resource again",
      request: {
        query: z.object({ after: z.string().refine(isNoticeCursor, "is not a cursor").optional() }),
        headers: z.object({ "last-event-id": z.string().refine(isNoticeCursor).optional() }),
      },
      responses: {
        200: { description: "Notices", content: { "text/event-stream": { schema: changeNoticeSchema } } },
        ...answers,
      },
    }),
    async (context) => {
      const user = context.get("user");
      const from =
        context.req.valid("header")["last-event-id"] ??
        context.req.valid("query").after ??
        (await newestCursor(database.pool));
      return sseResponse(AbortSignal.any([context.req.raw.signal, stopping]), async (push, signal) => {
        let cursor = from;
        await push({ id: cursor, event: "ready", data: {} });
        for await (const _ of wake.watch(`owner:${user}`, signal)) {
          for (const { cursor: at, notice } of await noticesAfter(database.pool, user, cursor)) {
            await push({ id: at, event: "change", data: notice });
            cursor = at;
          }
        }
      });
    },
  );
}
