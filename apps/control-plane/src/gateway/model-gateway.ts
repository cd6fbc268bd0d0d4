import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { CodedError, errorCatalogue, toCodedError } from "@alcove/contract/errors";
import type { RunId } from "@alcove/contract/ids";
import type { ProviderKind } from "@alcove/contract/api/agent";
import type { Log } from "../log/log.ts";
import { callUrl, excerpt, keyHeaders, type ProviderAddress } from "../providers/provider-check.ts";
import { readBody } from "./read-body.ts";
import { routeOf, type GatewayRoute } from "./routes.ts";
import type { RunTokens } from "./run-token.ts";
import { createUpstream } from "./upstream.ts";
import { createMeter, type MeteredUsage, type Protocol } from "./usage.ts";

export interface ModelGateway {
  /** Serves a connection that came from inside the box of this workspace. */
  serve(connection: Duplex, workspace: string): void;
  close(): void;
}

/** What the gateway needs to know of a run that asks for a model. */
export interface GatewayRun {
  readonly workspace: string;
  readonly ended: boolean;
}

interface Parts {
  readonly tokens: RunTokens;
  readonly findRun: (run: RunId) => Promise<GatewayRun | undefined>;
  readonly choose: (run: RunId, kinds: readonly ProviderKind[]) => Promise<ProviderAddress | undefined>;
  readonly onUsage: (run: RunId, usage: MeteredUsage) => Promise<void>;
  /** What the provider answered last; null when it was a success. */
  readonly onAnswer: (run: RunId, failure: CodedError | null) => void;
  /** How this machine reaches the outside. */
  readonly proxy: http.ProxyEnv;
  readonly log: Log;
}

const bodyLimit = 64 * 2 ** 20;
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** The gateway's own or the run's, never the provider's; `accept-encoding` so that the answer can be read along. */
const notPassed = new Set([
  ...hopByHop,
  "host",
  "authorization",
  "x-api-key",
  "cookie",
  "content-length",
  "accept-encoding",
  "expect",
]);

/**
 * The model gateway: checks the run's token, adds the real key, passes the provider's answer on byte for byte and counts what it used. Reached
 * only through the links of boxes, so whoever asks is also checked against the workspace that the link belongs to.
 */
export function createModelGateway({ tokens, findRun, choose, onUsage, onAnswer, proxy, log }: Parts): ModelGateway {
  const workspaces = new WeakMap<object, string>();
  const server = http.createServer(
    { requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 120_000 },
    (request, response) => {
      handle(request, response).catch((error: unknown) => {
        // The agent went away in the middle of its own request: nobody is left to be told.
        if (request.destroyed && !request.complete) return;
        const coded = toCodedError(error);
        if (coded.code === "internal") log.error({ err: error }, "the model gateway failed");
        refuse(response, coded);
      });
    },
  );
  const upstream = createUpstream(proxy);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "/";
    if (request.method === "HEAD" && /^\/(anthropic|openai)?\/?(v1\/?)?$/.test(url)) {
      response.writeHead(200).end();
      return;
    }
    const run = await requireRun(request);
    const route = routeOf(request.method ?? "GET", url);
    if (!route)
      throw new CodedError("not_found", `The model gateway has no ${request.method ?? ""} ${url.slice(0, 200)}.`);
    const provider = await choose(run, route.kinds);
    if (!provider) throw new CodedError("model_key_missing");
    const body = request.method === "POST" ? await readBody(request, bodyLimit) : undefined;
    await pass({ run, route, provider, request, response, body });
  }

  async function requireRun(request: IncomingMessage): Promise<RunId> {
    const given = request.headers["x-api-key"] ?? /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const run = typeof given === "string" ? tokens.verify(given) : undefined;
    const found = run && (await findRun(run));
    if (!run || !found || found.ended || found.workspace !== workspaces.get(request.socket))
      throw new CodedError("run_token_invalid");
    return run;
  }

  interface Call {
    readonly run: RunId;
    readonly route: GatewayRoute;
    readonly provider: ProviderAddress;
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly body: Buffer | undefined;
  }

  async function pass({ run, route, provider, request, response, body }: Call): Promise<void> {
    const target = new URL(callUrl(provider.baseUrl, route.path));
    const asked = route.protocol === "chat" ? withUsage(body) : body;
    const left = new AbortController();
    response.on("close", () => {
      if (!response.writableFinished) left.abort();
    });
    let answer: IncomingMessage;
    try {
      answer = await upstream.call({
        target,
        method: request.method ?? "GET",
        headers: {
          ...passedHeaders(request),
          ...keyHeaders(provider.kind, provider.key),
          "accept-encoding": "identity",
          ...(asked ? { "content-length": String(asked.length) } : {}),
        },
        body: asked,
        signal: left.signal,
      });
    } catch (error) {
      if (left.signal.aborted) return;
      const failure = toCodedError(error);
      onAnswer(run, failure);
      throw failure;
    }
    await relay(answer, { run, protocol: route.protocol, host: target.host, response, ...requested(asked) });
  }

  interface Relayed {
    readonly run: RunId;
    readonly protocol: Protocol | null;
    readonly host: string;
    readonly response: ServerResponse;
    readonly model: string;
    readonly stream: boolean;
  }

  /** Passes the answer on, reading along; resolves when it has ended, also when the agent left before. */
  async function relay(
    answer: IncomingMessage,
    { run, protocol, host, response, model, stream }: Relayed,
  ): Promise<void> {
    const status = answer.statusCode ?? 502;
    const meter = status < 400 && protocol ? createMeter(protocol, model, stream) : undefined;
    const failed: Buffer[] = [];
    response.writeHead(
      status,
      Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !hopByHop.has(name))),
    );
    answer.on("data", (chunk: Buffer) => {
      meter?.push(chunk);
      if (status >= 400 && failed.length < 64) failed.push(chunk);
    });
    answer.on("error", () => response.destroy());
    answer.pipe(response);
    await new Promise<void>((resolve) => answer.on("close", resolve));
    if (!answer.complete) response.destroy();
    if (protocol) onAnswer(run, status < 400 ? null : failureOf(status, host, Buffer.concat(failed).toString("utf8")));
    if (meter) await onUsage(run, meter.end());
  }

  return {
    serve(connection, workspace) {
      workspaces.set(connection, workspace);
      server.emit("connection", connection);
    },
    close() {
      server.closeAllConnections();
      upstream.close();
    },
  };
}

function passedHeaders(request: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && !notPassed.has(name)) headers[name] = value;
  return headers;
}

function requested(body: Buffer | undefined): { model: string; stream: boolean } {
  const parsed = parseObject(body);
  const model = parsed["model"];
  return { model: typeof model === "string" ? model.slice(0, 200) : "unknown", stream: parsed["stream"] === true };
}

/** Chat Completions tell their usage in a stream only when asked to. */
function withUsage(body: Buffer | undefined): Buffer | undefined {
  const parsed = parseObject(body);
  if (parsed["stream"] !== true) return body;
  const options = parsed["stream_options"];
  const kept = typeof options === "object" && options !== null ? options : {};
  return Buffer.from(JSON.stringify({ ...parsed, stream_options: { ...kept, include_usage: true } }));
}

function parseObject(body: Buffer | undefined): Record<string, unknown> {
  if (!body) return {};
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new CodedError("bad_request", "The body of a model call is JSON.", { cause: error });
    throw error;
  }
}

function failureOf(status: number, host: string, text: string): CodedError {
  if (status === 401 || status === 403)
    return new CodedError("model_key_refused", `${host} answered ${status}: ${excerpt(text)}`);
  return new CodedError("model_failed", `${host} answered ${status}: ${excerpt(text)}`);
}

/** The refusal in a shape that Anthropic's and OpenAI's clients both read. Missing keys and spent tokens are 403: a 401 or 409 is retried. */
function refuse(response: ServerResponse, error: CodedError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status } = errorCatalogue[error.code];
  const body = {
    type: "error",
    error: { type: error.code, code: error.code, message: `${error.message} ${error.hint}` },
  };
  const final = status === 401 || status === 409 ? 403 : status;
  response
    .writeHead(final, { "content-type": "application/json", "x-should-retry": "false" })
    .end(JSON.stringify(body));
}
