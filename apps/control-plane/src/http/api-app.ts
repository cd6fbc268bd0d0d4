import { Readable } from "node:stream";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { HttpBindings } from "@hono/node-server";
import { DrizzleQueryError } from "drizzle-orm";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import pg from "pg";
import type { z } from "zod";
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
      return problemResponse(malformed(result.error), log, issuesOf(result.error));
    },
  });
  app.onError((error) => problemResponse(expected(error), log));
  app.notFound((context) =>
    problemResponse(new CodedError("not_found", `There is no ${context.req.method} ${context.req.path}.`), log),
  );
  return app;
}

/** The query of a request whose body is a stream, which the router does not look at. Code: `bad_request`. */
export function queryOf<T extends z.ZodType>(context: Context, schema: T): z.output<T> {
  const parsed = schema.safeParse(context.req.query());
  if (parsed.success) return parsed.data;
  throw malformed(parsed.error);
}

/** The body of a request as a stream; `what` names it in the error when there is none. Code: `bad_request`. */
export function bodyOf(context: Context, what: string): Readable {
  const { body } = context.req.raw;
  if (!body) throw new CodedError("bad_request", `The ${what} is missing: send a tar file as the body.`);
  return Readable.fromWeb(body);
}

function malformed(error: Parameters<typeof issuesOf>[0]): CodedError {
  const first = issuesOf(error)[0];
  return new CodedError("bad_request", first ? `${first.path || "The body"} ${first.message}` : undefined);
}

/** PostgreSQL's codes for text that it cannot hold: as such, and in JSON (appendix A of its manual). */
const unstorable = new Set(["22021", "22P05"]);

function expected(error: Error): Error {
  // Hono throws its own exception for a body that is not JSON.
  if (error instanceof HTTPException && error.status < 500)
    return new CodedError("bad_request", error.message || undefined, { cause: error });
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  if (cause instanceof pg.DatabaseError && unstorable.has(cause.code ?? ""))
    return new CodedError("bad_request", "A text holds the character NUL, which cannot be stored.", { cause: error });
  return error;
}
