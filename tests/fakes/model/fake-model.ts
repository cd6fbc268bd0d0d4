import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { answerMessages, parseMessages } from "./anthropic.ts";
import { answerRequest, type Fault, type ModelAnswer } from "./answer.ts";
import { answerChat, parseChat } from "./chat.ts";
import { isRecord, type Json, type ModelRequest } from "./request.ts";
import { answerResponses, parseResponses } from "./responses.ts";
import { sendJson } from "./sse.ts";

/** A request that the stand-in model got. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The credential, from `x-api-key` or `Authorization`. */
  readonly key: string | null;
  readonly body: Json;
  readonly at: number;
}

export interface FakeModel extends AsyncDisposable {
  /** Base URL for Anthropic clients; OpenAI clients append `/v1`. */
  readonly url: string;
  readonly port: number;
  readonly key: string;
  readonly requests: readonly SeenRequest[];
  /** Resolves with the next request for which the condition holds. */
  nextRequest(condition: (request: SeenRequest) => boolean): Promise<SeenRequest>;
}

export const fakeModels = ["claude-sonnet-5", "claude-haiku-5", "gpt-5.5", "gpt-5.5-mini"] as const;

/** Starts the stand-in model on a loopback port (0 chooses one). It refuses every key but its own with 401. */
export async function startFakeModel(options: { port?: number; key?: string } = {}): Promise<FakeModel> {
  const key = options.key ?? "sk-stand-in";
  const requests: SeenRequest[] = [];
  const waiting = new Set<(request: SeenRequest) => void>();
  const faults = new Map<string, number>();
  const isSpent = (fault: Fault): boolean => {
    const count = faults.get(fault.key) ?? 0;
    if (fault.times !== null && count >= fault.times) return true;
    faults.set(fault.key, count + 1);
    return false;
  };
  const server = createServer((request, response) => {
    const seen = (entry: SeenRequest) => {
      requests.push(entry);
      for (const notify of waiting) notify(entry);
    };
    handle(request, response, { key, seen, isSpent }).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, 500, { error: { type: "api_error", message: String(error) } });
      else response.destroy();
    });
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The stand-in model has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    key,
    requests,
    nextRequest(condition) {
      return new Promise((resolve) => {
        const notify = (request: SeenRequest) => {
          if (!condition(request)) return;
          waiting.delete(notify);
          resolve(request);
        };
        waiting.add(notify);
      });
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

interface Protocol {
  parse(body: Json): ModelRequest;
  answer(request: ModelRequest, answer: ModelAnswer, response: ServerResponse, body: Json): Promise<void>;
}

const protocols: Readonly<Record<string, Protocol>> = {
  "/v1/messages": { parse: parseMessages, answer: answerMessages },
  "/v1/responses": { parse: parseResponses, answer: answerResponses },
  "/v1/chat/completions": { parse: parseChat, answer: answerChat },
};

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: { key: string; seen: (request: SeenRequest) => void; isSpent: (fault: Fault) => boolean },
): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const body = await readBody(request);
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const header = request.headers["x-api-key"];
  const key = typeof header === "string" ? header : (bearer ?? null);
  options.seen({ method: request.method ?? "", path, headers: request.headers, key, body, at: Date.now() });
  if (path === "/" && request.method === "HEAD") {
    response.writeHead(200).end();
    return;
  }
  if (key !== options.key) {
    sendJson(response, 401, errorBody("authentication_error", "invalid x-api-key"));
    return;
  }
  if (path === "/v1/models") {
    const data = fakeModels.map((id) => ({
      id,
      object: "model",
      type: "model",
      display_name: id,
      created: 0,
      created_at: "2026-01-01T00:00:00Z",
      owned_by: "stand-in",
    }));
    sendJson(response, 200, { object: "list", data, has_more: false });
    return;
  }
  if (path === "/v1/messages/count_tokens") {
    sendJson(response, 200, { input_tokens: Math.ceil(JSON.stringify(body).length / 4) });
    return;
  }
  const protocol = protocols[path];
  if (protocol === undefined || request.method !== "POST") {
    sendJson(response, 404, errorBody("not_found_error", `There is no ${request.method} ${path}`));
    return;
  }
  const parsed = protocol.parse(body);
  const answer = answerRequest(parsed, options.isSpent);
  if ("fault" in answer) {
    sendJson(
      response,
      answer.fault.status,
      errorBody("api_error", `The script asks for status ${answer.fault.status}`),
    );
    return;
  }
  await protocol.answer(parsed, answer, response, body);
}

/** An error that clients of both families understand. */
function errorBody(type: string, message: string) {
  return { type: "error", error: { type, message, code: type } };
}

async function readBody(request: IncomingMessage): Promise<Json> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  const value: unknown = text === "" ? {} : JSON.parse(text);
  return isRecord(value) ? value : {};
}
