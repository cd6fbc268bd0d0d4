import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { IncomingMessage } from "node:http";
import { createRoute, z } from "@hono/zod-openapi";
import { execEventSchema, execRequestSchema, execResultSchema, moveFileSchema } from "@alcove/contract/api/workspace";
import { boxExecLineSchema } from "@alcove/contract/box/exec";
import { toCodedError } from "@alcove/contract/errors";
import type { Workspaces } from "../../workspaces/workspaces.ts";
import type { WorkspaceStore } from "../../workspaces/workspace-store.ts";
import type { ApiApp } from "../api-app.ts";
import { contentHeaders } from "../content-headers.ts";
import { addStreamRoute, answers, jsonBody } from "../openapi.ts";
import { rawRestOfPath } from "../rest-of-path.ts";
import { sseResponse } from "../sse.ts";
import { fileStreams } from "./file-streams.ts";

interface Parts {
  readonly workspaces: Workspaces;
  readonly store: WorkspaceStore;
  readonly stopping: AbortSignal;
}

const idParam = z.object({ id: z.string() });
const passedUp = ["if-match", "if-none-match", "range", "content-length", "content-type"];
const passedDown = ["content-length", "content-range", "accept-ranges", "etag", "last-modified"];
const outputLimit = 8 * 2 ** 20;
/** Answers up to this size, in bytes, are passed on in one piece. */
const smallAnswer = 65_536;

/** Files and commands: passed on to the daemon of the box, which is woken for it. */
export function addFileRoutes(app: ApiApp, { workspaces, store, stopping }: Parts): void {
  const forward = async (request: Request, user: string, id: string | undefined, area: "files" | "archive") => {
    const { id: workspace } = await store.owned(user, id ?? "");
    const url = new URL(request.url);
    const rest = rawRestOfPath(request.url, 5);
    const download = url.searchParams.get("download") === "true";
    url.searchParams.delete("download");
    const box = await workspaces.reach(workspace, AbortSignal.any([request.signal, stopping]));
    const answer = await box.request({
      method: request.method,
      path: `/v1/${area}/${rest}${url.search}`,
      headers: pick(passedUp, (name) => request.headers.get(name)),
      // To ask a GET for its body would cost a second request object.
      body: request.method !== "GET" && request.body ? Readable.fromWeb(request.body) : null,
      signal: request.signal,
    });
    return passDown(answer, {
      path: area === "archive" ? `${rest || "workspace"}.tar.gz` : rest,
      download: download || area === "archive",
    });
  };

  for (const route of fileStreams)
    addStreamRoute(app, route, (context) =>
      forward(context.req.raw, context.get("user"), context.req.param("id"), route.area),
    );

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/files:move",
      summary: "Move or rename a file or folder",
      request: { params: idParam, body: jsonBody(moveFileSchema) },
      responses: { 204: { description: "It was moved" }, ...answers },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      const box = await workspaces.reach(id, stopping);
      const body = JSON.stringify(context.req.valid("json"));
      const headers = { "content-type": "application/json" };
      const answer = await box.request({
        method: "POST",
        path: "/v1/files:move",
        headers,
        body,
        signal: context.req.raw.signal,
      });
      answer.resume();
      return context.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/workspaces/{id}/exec",
      summary: "Run one command; streamed, or with `wait` in one answer",
      request: { params: idParam, query: z.object({ wait: z.string().optional() }), body: jsonBody(execRequestSchema) },
      responses: {
        200: {
          description: "With `wait` the result, else events `stdout`, `stderr` and at last `exit`",
          content: {
            "application/json": { schema: execResultSchema },
            "text/event-stream": { schema: execEventSchema },
          },
        },
        ...answers,
      },
    }),
    async (context) => {
      const { id } = await store.owned(context.get("user"), context.req.valid("param").id);
      const box = await workspaces.reach(id, stopping);
      const body = JSON.stringify(context.req.valid("json"));
      const headers = { "content-type": "application/json" };
      const lines = (signal: AbortSignal) =>
        box.lines(boxExecLineSchema, { method: "POST", path: "/v1/exec", headers, body, signal });
      const { wait } = context.req.valid("query");
      if (wait !== undefined && wait !== "false")
        return context.json(await collect(lines(context.req.raw.signal)), 200);
      // The first line is awaited so that a command that cannot begin is a problem and not a broken stream.
      const signal = AbortSignal.any([context.req.raw.signal, stopping]);
      const all = lines(signal);
      const first = await all.next();
      return sseResponse(signal, async (push) => {
        if (first.done) return;
        await push({ event: first.value.kind, data: textLine(first.value) });
        try {
          for await (const line of all) await push({ event: line.kind, data: textLine(line) });
        } catch (error) {
          if (signal.aborted) throw error;
          const { code, message: detail, hint } = toCodedError(error);
          await push({ event: "error", data: { code, detail, hint } });
        }
      });
    },
  );
}

type Line = z.infer<typeof boxExecLineSchema>;

function textLine(line: Line): z.infer<typeof execEventSchema> {
  if (line.kind === "exit") return { kind: "exit", exitCode: line.exitCode };
  const { kind, data, encoding } = line;
  if (encoding === undefined) return { kind, data };
  return { kind, data: Buffer.from(data, encoding).toString("latin1"), encoding: "latin1" };
}

/** Reads to the end, so that the connection can be kept. */
async function collect(lines: AsyncIterable<Line>): Promise<z.infer<typeof execResultSchema>> {
  const result = { exitCode: 255, stdout: "", stderr: "" };
  for await (const line of lines) {
    const event = textLine(line);
    if (event.kind === "exit") result.exitCode = event.exitCode;
    else if (result[event.kind].length < outputLimit) result[event.kind] += event.data;
  }
  return result;
}

async function passDown(
  answer: IncomingMessage,
  { path, download }: { path: string; download: boolean },
): Promise<Response> {
  const listing = answer.headers["content-type"]?.startsWith("application/json") ?? false;
  const headers = pick(passedDown, (name) => answer.headers[name]);
  const empty = answer.statusCode === 204 || answer.statusCode === 304;
  if (empty) answer.resume();
  const size = Number(answer.headers["content-length"] ?? Number.NaN);
  const content = listing
    ? { "content-type": "application/json", "cache-control": "no-store" }
    : contentHeaders(decodeURIComponent(path), { size: Number.isNaN(size) ? null : size, download });
  const body = empty ? null : size <= smallAnswer ? await buffer(answer) : Readable.toWeb(answer);
  return new Response(body, {
    status: answer.statusCode ?? 502,
    headers: { ...content, ...headers },
  });
}

function pick(
  names: readonly string[],
  value: (name: string) => string | string[] | null | undefined,
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const found = value(name);
    if (typeof found === "string") picked[name] = found;
  }
  return picked;
}
