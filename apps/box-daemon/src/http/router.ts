import type { ServerWebSocket } from "bun";
import { errorCatalogue, toCodedError, CodedError, type ErrorCode } from "@alcove/contract/errors";
import { traceIdOf } from "@alcove/contract/trace";
import { describe, log } from "../system/log.ts";

/** A request inside a route: `rest` is the URL's path behind the route's prefix, still percent-encoded. */
export interface Call {
  readonly request: Request;
  readonly rest: string;
  readonly query: URLSearchParams;
  /** Turns the request into a WebSocket; false when it is not an upgrade. */
  upgrade(data: Upgraded): boolean;
}

/** What hears of a WebSocket. */
export interface Upgraded {
  open(socket: ServerWebSocket<Upgraded>): void;
  message(message: string | Buffer): void;
  /** Bytes that waited have left. */
  drain(): void;
  close(): void;
}

/** A route answers, or gives `undefined` after an upgrade. */
export interface Route {
  readonly method: string;
  /** Matched whole, or as the beginning when it ends in a slash. */
  readonly path: string;
  handle(call: Call): Response | undefined | Promise<Response | undefined>;
}

/** Routes of one kind. Their code is loaded when one of them is asked for first: an idle box does not pay for what it never does. */
export interface Feature {
  /** What the paths of its routes begin with. */
  readonly prefixes: readonly string[];
  routes(): Promise<readonly Route[]>;
}

export interface RouterOptions {
  readonly features: readonly Feature[];
  readonly epoch: number;
}

/** Finds the route of a request and turns failures into `{ code, detail }` with the catalogue's status. */
export function createRouter(options: RouterOptions) {
  return async (request: Request, upgrade: Call["upgrade"]): Promise<Response | undefined> => {
    try {
      return await dispatch(options, request, upgrade);
    } catch (error) {
      const coded = toCodedError(error);
      if (coded.code === "internal" && !request.signal.aborted) {
        log("error", "Request failed", {
          url: request.url,
          trace: traceIdOf(request.headers.get("traceparent")),
          error: describe(coded.cause),
        });
      }
      return problem(coded.code, coded.message);
    }
  };
}

async function dispatch(
  options: RouterOptions,
  request: Request,
  upgrade: Call["upgrade"],
): Promise<Response | undefined> {
  const epoch = request.headers.get("x-alcove-epoch");
  if (epoch !== null && epoch !== String(options.epoch)) {
    return problem("workspace_unreachable", `The box has epoch ${options.epoch}, not ${epoch}`, 409);
  }
  const { path, query } = splitUrl(request.url);
  const feature = options.features.find(({ prefixes }) => prefixes.some((prefix) => path.startsWith(prefix)));
  for (const route of (await feature?.routes()) ?? []) {
    if (route.method !== request.method) continue;
    const whole = path === route.path;
    if (!whole && !(route.path.endsWith("/") && path.startsWith(route.path))) continue;
    if (request.method !== "GET" && request.method !== "HEAD") {
      log("info", "Request", { method: request.method, path, trace: traceIdOf(request.headers.get("traceparent")) });
    }
    return await route.handle({ request, rest: path.slice(route.path.length), query, upgrade });
  }
  throw new CodedError("not_found", `There is no ${request.method} ${path}`);
}

/** Path and query as they were sent: the file names in a path may hold bytes that `URL` would change. */
function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const mark = url.indexOf("?", start);
  const path = mark < 0 ? url.slice(start) : url.slice(start, mark);
  return { path, query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)) };
}

/** An error answer; `status` replaces the catalogue's. */
export function problem(code: ErrorCode, detail: string, status: number = errorCatalogue[code].status): Response {
  return Response.json({ code, detail }, { status });
}
