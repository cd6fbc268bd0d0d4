import { CodedError, isErrorCode, type ErrorCode } from "@alcove/contract/errors";
import { problemSchema } from "@alcove/contract/api/problem";
import type { z } from "zod";

export type QueryValue = string | number | boolean | null | undefined;

export interface RequestOptions {
  query?: Record<string, QueryValue>;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: RequestInit["body"];
  signal?: AbortSignal;
}

export interface Transport {
  /** The address of a path below `/api/v1`, for links, images and downloads. */
  url(path: string, query?: Record<string, QueryValue>): string;
  /** The headers that identify the caller; empty in a browser, whose cookie does it. */
  readonly identity: Readonly<Record<string, string>>;
  /** The response when its status is below 400; otherwise throws the problem as a CodedError, `server_unreachable` when there is no answer. */
  send(method: string, path: string, options?: RequestOptions): Promise<Response>;
  /** The JSON of the response, parsed by the schema; `internal` when it has another shape. */
  read<S extends z.ZodType>(schema: S, method: string, path: string, options?: RequestOptions): Promise<z.infer<S>>;
}

/** `createTransport({ baseUrl, key, fetch })`: requests below `<baseUrl>/api/v1`, as the holder of the key when one is given. */
export function createTransport(options: {
  baseUrl: string;
  key?: string;
  fetch?: typeof globalThis.fetch;
}): Transport {
  const root = `${options.baseUrl.replace(/\/+$/, "")}/api/v1`;
  const call = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const identity: Record<string, string> = options.key === undefined ? {} : { authorization: `Bearer ${options.key}` };

  const url = (path: string, query: Record<string, QueryValue> = {}) => {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) search.set(name, String(value));
    }
    return search.size > 0 ? `${root}${path}?${search.toString()}` : `${root}${path}`;
  };

  const send = async (method: string, path: string, request: RequestOptions = {}) => {
    const headers: Record<string, string> = {
      accept: "application/json",
      ...identity,
      ...request.headers,
    };
    if (request.json !== undefined) headers["content-type"] = "application/json";
    const body = request.json === undefined ? request.body : JSON.stringify(request.json);
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = body;
    // Fetch wants this said of a body that is not there as a whole (https://fetch.spec.whatwg.org/#dom-requestinit-duplex).
    if (body instanceof ReadableStream) Object.assign(init, { duplex: "half" });
    if (request.signal) init.signal = request.signal;
    const response = await call(url(path, request.query), init).catch((error: unknown) => {
      request.signal?.throwIfAborted();
      throw new CodedError("server_unreachable", undefined, { cause: error });
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  };

  const read = async <S extends z.ZodType>(schema: S, method: string, path: string, request?: RequestOptions) => {
    const response = await send(method, path, request);
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data;
    throw new CodedError("internal", `The answer to ${method} ${path} has a shape that this client does not know`, {
      cause: parsed.error,
    });
  };

  return { url, identity, send, read };
}

/** A path inside a workspace as the rest of a URL: every part percent-encoded, slashes kept. */
export function encodePath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "")
    .map(encodeURIComponent)
    .join("/");
}

const codeByStatus: Record<number, ErrorCode> = {
  400: "bad_request",
  401: "not_signed_in",
  403: "not_allowed",
  404: "not_found",
  413: "too_large",
  429: "too_many_requests",
  503: "shutting_down",
};

/** What a failed response says, as a CodedError; an answer without a problem document (a proxy's, say) is judged by its status. */
export async function problemOf(response: Response): Promise<CodedError> {
  const text = await response.text().catch(() => "");
  const problem = problemSchema.safeParse(jsonOrNull(text));
  if (problem.success) {
    const { code, detail, hint } = problem.data;
    return new CodedError(isErrorCode(code) ? code : "internal", detail, {
      hint,
      cause: problem.data,
    });
  }
  const code = codeByStatus[response.status] ?? "internal";
  return new CodedError(code, `The server answered ${response.status}${text ? `: ${text.slice(0, 200)}` : ""}`);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
