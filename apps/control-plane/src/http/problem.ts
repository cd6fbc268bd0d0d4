import type { Problem } from "@alcove/contract/api/problem";
import { CodedError, errorCatalogue, toCodedError } from "@alcove/contract/errors";
import type { z } from "zod";
import { isDatabaseOutage } from "../database/outage.ts";
import { currentTraceId, type Log } from "../log/log.ts";

/** The error as RFC 9457 problem details; what was not expected is logged with its cause and told without it. */
export function problemResponse(thrown: unknown, log: Log, issues?: Problem["issues"]): Response {
  const error = isDatabaseOutage(thrown)
    ? new CodedError("database_unreachable", undefined, { cause: thrown })
    : toCodedError(thrown);
  const body = problemOf(error, issues);
  if (error.code === "internal") log.error({ err: thrown }, "a request failed");
  else if (body.status >= 500) log.warn({ err: error }, "a request could not be served");
  return Response.json(body, { status: body.status, headers: { "content-type": "application/problem+json" } });
}

export function problemOf(error: CodedError, issues?: Problem["issues"]): Problem {
  const { status, title } = errorCatalogue[error.code];
  const trace = currentTraceId();
  return {
    type: `https://alcove.dev/errors#${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    hint: error.hint,
    ...(trace ? { trace } : {}),
    ...(issues ? { issues } : {}),
  };
}

export function issuesOf(
  error: z.ZodError | { issues: readonly { path: readonly PropertyKey[]; message: string }[] },
): NonNullable<Problem["issues"]> {
  return error.issues.map(({ path, message }) => ({ path: path.map(String).join("."), message }));
}
