import { OpenAPIHono } from "@hono/zod-openapi";
import type { HttpBindings } from "@hono/node-server";
import { HTTPException } from "hono/http-exception";
import { CodedError } from "@alcove/contract/errors";
import type { UserId } from "@alcove/contract/ids";
import type { Log } from "../log/log.ts";
import { issuesOf, problemResponse } from "./problem.ts";

export interface ApiEnv {
  Bindings: HttpBindings;
  Variables: { user: UserId };
}

export type ApiApp = OpenAPIHono<ApiEnv>;

/** A router whose every refusal is a problem of the catalogue. */
export function createApiApp(log: Log): ApiApp {
  const app: ApiApp = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return undefined;
      const issues = issuesOf(result.error);
      const first = issues[0];
      const error = new CodedError("bad_request", first ? `${first.path || "The body"} ${first.message}` : undefined);
      return problemResponse(error, log, issues);
    },
  });
  app.onError((error) => problemResponse(expected(error), log));
  app.notFound((context) =>
    problemResponse(new CodedError("not_found", `There is no ${context.req.method} ${context.req.path}.`), log),
  );
  return app;
}

/** Hono throws its own exception for a body that is not JSON. */
function expected(error: Error): Error {
  if (error instanceof HTTPException && error.status < 500)
    return new CodedError("bad_request", error.message || undefined, { cause: error });
  return error;
}
