import { CodedError, errorCatalogue, toCodedError } from "@alcove/contract/errors";
import {
  hostOperations,
  inputHeader,
  isHostOperation,
  type HostAnswer,
  type HostOperation,
  type HostRequest,
} from "@alcove/contract/host";
import { chmodSync, chownSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { logLine, withTrace } from "./log.ts";

const longestBody = 4 * 2 ** 20;
/** How long a connection that nobody uses is kept, in milliseconds: longer than the control plane keeps its end. */
const keptMs = 120_000;
const closingMs = 20;

/** These answer with bytes. */
type RawOperation = "volume.read" | "volume.export" | "box.happenings";
/** These take bytes as well; their input is in a header. */
type UploadOperation = "image.build" | "template.unpack";
type JsonOperation = Exclude<HostOperation, RawOperation | UploadOperation>;
export type Handlers = { [O in JsonOperation]: (request: HostRequest<O>) => Promise<HostAnswer<O>> };
type RawAnswer = { stream: Readable; headers: OutgoingHttpHeaders };
/** The signal aborts when nobody reads any more. */
export type RawHandlers = { [O in RawOperation]: (request: HostRequest<O>, gone: AbortSignal) => Promise<RawAnswer> };

export type UploadHandlers = {
  [O in UploadOperation]: (request: HostRequest<O>, body: Readable, gone: AbortSignal) => Promise<RawAnswer>;
};

/** Serves the closed list of operations at the socket, which only the owner and root can open. */
export async function serveOperations(options: {
  socket: string;
  owner: { uid: number; gid: number };
  handlers: Handlers;
  raw: RawHandlers;
  uploads: UploadHandlers;
}): Promise<AsyncDisposable> {
  const { socket, owner } = options;
  const server = createServer((request, response) => {
    void withTrace(request.headers["traceparent"]?.toString(), () =>
      answer(request, response, options).catch((error: unknown) => {
        logLine("error", "an answer broke off", { path: request.url, error });
        response.destroy();
      }),
    );
  });
  // An upload takes as long as it takes.
  server.requestTimeout = 0;
  server.keepAliveTimeout = keptMs;
  rmSync(socket, { force: true });
  server.listen(socket);
  await once(server, "listening");
  chmodSync(socket, 0o600);
  chownSync(socket, owner.uid, owner.gid);
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // One that is in use now is kept when its answer is over.
      const closing = setInterval(() => server.closeIdleConnections(), closingMs);
      await closed;
      clearInterval(closing);
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { handlers, raw, uploads }: { handlers: Handlers; raw: RawHandlers; uploads: UploadHandlers },
): Promise<void> {
  const operation = request.url?.startsWith("/v1/") === true ? request.url.slice("/v1/".length) : "";
  const started = performance.now();
  try {
    if (request.method !== "POST" || !isHostOperation(operation))
      throw new CodedError("not_found", `There is no operation "${operation}"`);
    if (isUpload(operation)) return await answerUpload(operation, request, response, uploads);
    const body = await readBody(request);
    if (isRaw(operation)) return await answerRaw(operation, body, response, raw);
    const result = JSON.stringify(await handle(operation, body, handlers));
    response.writeHead(200, { "content-type": "application/json" }).end(result);
    if (changesSomething(operation))
      logLine("info", operation, { ms: Math.round(performance.now() - started), workspace: workspaceOf(body) });
  } catch (error) {
    const failure = toCodedError(error);
    logLine(failure.code === "internal" ? "error" : "warn", `${operation} failed`, {
      code: failure.code,
      detail: failure.message,
      ...(failure.code === "internal" ? { error: failure.cause ?? failure } : {}),
    });
    if (response.headersSent) return void response.destroy();
    // Who still sends reads the answer when all is sent.
    request.resume();
    const { status } = errorCatalogue[failure.code];
    response
      .writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify({ code: failure.code, detail: failure.message, hint: failure.hint }));
  }
}

function isRaw(operation: HostOperation): operation is RawOperation {
  return operation === "volume.read" || operation === "volume.export" || operation === "box.happenings";
}

function isUpload(operation: HostOperation): operation is UploadOperation {
  return operation === "image.build" || operation === "template.unpack";
}

async function answerUpload(
  operation: UploadOperation,
  request: IncomingMessage,
  response: ServerResponse,
  uploads: UploadHandlers,
): Promise<void> {
  const input = parseJson(String(request.headers[inputHeader]));
  return sendRaw(response, (gone) => {
    switch (operation) {
      case "image.build":
        return uploads[operation](parse(operation, input), request, gone);
      case "template.unpack":
        return uploads[operation](parse(operation, input), request, gone);
    }
  });
}

async function answerRaw(
  operation: RawOperation,
  body: unknown,
  response: ServerResponse,
  raw: RawHandlers,
): Promise<void> {
  return sendRaw(response, (gone) => {
    switch (operation) {
      case "volume.read":
        return raw[operation](parse(operation, body), gone);
      case "volume.export":
        return raw[operation](parse(operation, body), gone);
      case "box.happenings":
        return raw[operation](parse(operation, body), gone);
    }
  });
}

async function sendRaw(response: ServerResponse, answerOf: (gone: AbortSignal) => Promise<RawAnswer>): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const { stream, headers } = await answerOf(gone.signal);
  response.writeHead(200, headers);
  try {
    await pipeline(stream, response);
  } catch (error) {
    // Whoever reads may stop at any time.
    if (!gone.signal.aborted) throw error;
  }
}

/** What is only asked for, often many times a minute, is not worth a line. */
function changesSomething(operation: JsonOperation): boolean {
  return !/\.(?:capabilities|inspect|list|log|status|usage|changes|load|trees)$/.test(operation);
}

async function handle<O extends JsonOperation>(
  operation: O,
  body: unknown,
  handlers: Handlers,
): Promise<HostAnswer<O>> {
  return handlers[operation](parse(operation, body));
}

function parse<O extends HostOperation>(operation: O, body: unknown): HostRequest<O> {
  const parsed = hostOperations[operation].input.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new CodedError(
    "bad_request",
    `Cannot do "${operation}": ${parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ")}`,
  );
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let body = "";
  for await (const part of request.setEncoding("utf8")) {
    body += String(part);
    if (body.length > longestBody) throw new CodedError("too_large", "The request is too large for the host process");
  }
  return parseJson(body);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CodedError("bad_request", "The request is not JSON", { cause });
  }
}

function workspaceOf(body: unknown): string | undefined {
  return typeof body === "object" && body !== null && "workspace" in body && typeof body.workspace === "string"
    ? body.workspace
    : undefined;
}
