import type { Context } from "hono";
import { z } from "@hono/zod-openapi";
import { problemSchema } from "@alcove/contract/api/problem";
import type { ApiApp, ApiEnv } from "./api-app.ts";

export function json<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { "application/json": { schema } } };
}

export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: true, content: { "application/json": { schema } } };
}

/** What every call may answer instead. */
export const answers = {
  default: {
    description: "A problem, by RFC 9457",
    content: { "application/problem+json": { schema: problemSchema } },
  },
} as const;

const bytesSchema = { type: "string", format: "binary" } as const;
type Content = Record<string, { schema: z.ZodType | typeof bytesSchema }>;

export const bytes = { "application/octet-stream": { schema: bytesSchema } } satisfies Content;
export const gzip = { "application/gzip": { schema: bytesSchema } } satisfies Content;

/** `true` asks for a file to be saved instead of shown. */
export const downloadQuery = z.object({ download: z.enum(["true", "false"]).optional() });

export interface StreamRoute {
  readonly method: "get" | "put" | "post" | "delete";
  /** A last `{path}` stands for all that follows, slashes too. */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly takes?: Content;
  /** By status. */
  readonly gives: Record<number, { description: string; content?: Content }>;
}

/** A route whose request or answer is a stream of bytes: the router passes it on without a look, and the document tells of it. */
export function addStreamRoute(
  app: ApiApp,
  { method, path, summary, query, takes, gives }: StreamRoute,
  handle: (context: Context<ApiEnv>) => Response | Promise<Response>,
): void {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  app.openAPIRegistry.registerPath({
    method,
    path,
    summary,
    request: {
      ...(names.length > 0 && { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) }),
      ...(query && { query }),
      ...(takes && { body: { required: true, content: takes } }),
    },
    responses: { ...gives, ...answers },
  });
  app.on(method, path.replace(/\{path\}$/, "*").replaceAll(/\{(\w+)\}/g, ":$1"), handle);
}
