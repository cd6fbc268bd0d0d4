import { bodyLimit } from "hono/body-limit";
import { CodedError } from "@alcove/contract/errors";
import type { Identity } from "../identity/identity.ts";
import { currentTraceId, type Log } from "../log/log.ts";
import { createApiApp, type ApiApp } from "./api-app.ts";
import { isOwnOrigin } from "./origin.ts";
import { addAccountRoutes, addPublicRoutes, type AccountParts } from "./routes/account-routes.ts";
import { addAgentRoutes } from "./routes/agent-routes.ts";
import { addFileRoutes } from "./routes/file-routes.ts";
import { addNetworkRoutes } from "./routes/network-routes.ts";
import { addRunRoutes } from "./routes/run-routes.ts";
import { addSnapshotRoutes } from "./routes/snapshot-routes.ts";
import { addTemplateRoutes } from "./routes/template-routes.ts";
import { addWorkspaceEventRoutes } from "./routes/workspace-event-routes.ts";
import { addWorkspaceRoutes } from "./routes/workspace-routes.ts";

export type ApiParts = AccountParts &
  Parameters<typeof addRunRoutes>[1] &
  Parameters<typeof addWorkspaceRoutes>[1] &
  Parameters<typeof addWorkspaceEventRoutes>[1] &
  Parameters<typeof addNetworkRoutes>[1] &
  Parameters<typeof addSnapshotRoutes>[1] &
  Parameters<typeof addTemplateRoutes>[1] &
  Parameters<typeof addFileRoutes>[1] &
  Parameters<typeof addAgentRoutes>[1] & { readonly identity: Identity; readonly log: Log };

const bodyBytes = 2 * 2 ** 20;

/** `/api/v1`, with its OpenAPI document made from the schemas that validate. */
export function createApi(parts: ApiParts): ApiApp {
  const { identity, log, version } = parts;
  const app = createApiApp(log);

  app.use(async (context, next) => {
    await next();
    const trace = currentTraceId();
    if (trace) context.res.headers.set("x-trace-id", trace);
    if (!context.res.headers.has("cache-control")) context.res.headers.set("cache-control", "no-store");
  });
  const refuseLarge = () => {
    throw new CodedError("too_large", `A request has at most ${bodyBytes / 2 ** 20} MiB.`);
  };
  const limited = bodyLimit({ maxSize: bodyBytes, onError: refuseLarge });
  app.use((context, next) => {
    if (/\/files(?:\/|$)|\/workspaces\/import$|\/templates\/upload$/.test(context.req.path)) return next();
    const { method } = context.req;
    const length = context.req.header("content-length");
    // Refused before the body is touched, so that the server can drain it and the client reads the answer.
    if (Number(length ?? 0) > bodyBytes) refuseLarge();
    // Bytes are counted only where the size was not said: the counter makes a second request object.
    if (length !== undefined || method === "GET" || method === "HEAD") return next();
    return limited(context, next);
  });

  addPublicRoutes(app, parts);
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: { title: "Alcove", version, description: "A computer of its own for every person and every agent." },
    servers: [{ url: "/api/v1" }],
    security: [{ bearer: [] }],
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key, `alc_…`",
  });

  app.use(async (context, next) => {
    const principal = await identity.principal(context.req.raw.headers);
    if (!principal) throw new CodedError("not_signed_in");
    const safe = context.req.method === "GET" || context.req.method === "HEAD";
    if (principal.via === "cookie" && !safe && !isOwnOrigin(context.req.header("origin"), context.req.header("host"))) {
      throw new CodedError("origin_refused");
    }
    context.set("user", principal.user);
    await next();
  });
  addAccountRoutes(app, parts);
  addWorkspaceRoutes(app, parts);
  addWorkspaceEventRoutes(app, parts);
  addNetworkRoutes(app, parts);
  addSnapshotRoutes(app, parts);
  addTemplateRoutes(app, parts);
  addFileRoutes(app, parts);
  addRunRoutes(app, parts);
  addAgentRoutes(app, parts);
  return app;
}
