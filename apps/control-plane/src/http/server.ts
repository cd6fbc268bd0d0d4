import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { CodedError } from "@alcove/contract/errors";
import type { Identity } from "../identity/identity.ts";
import { traceIdFrom, withTrace, type Log } from "../log/log.ts";
import type { ApiApp } from "./api-app.ts";
import { problemResponse } from "./problem.ts";

interface Parts {
  readonly api: ApiApp;
  readonly identity: Identity;
  readonly page: ((request: Request) => Promise<Response>) | null;
  readonly onUpgrade: (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Throws when something that the server needs does not answer. */
  readonly checkHealth: () => Promise<void>;
  readonly log: Log;
}

export interface Server extends AsyncDisposable {
  readonly address: string;
}

/** Listens on host and port (0 takes a free one). Errors: `port_taken`. */
export async function listen(
  { api, identity, page, onUpgrade, checkHealth, log }: Parts,
  host: string,
  port: number,
): Promise<Server> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.onError((error) => problemResponse(error, log));
  app.get("/healthz", async (context) => {
    await checkHealth();
    return context.json({ status: "ok" });
  });
  app.get("/sign-in", (context, next) =>
    context.req.query("token") === undefined ? next() : identity.signInByLink(context.req.raw),
  );
  app.all("/api/auth/*", (context) => identity.handle(context.req.raw));
  app.route("/api/v1", api);
  app.all("/api/*", () => problemResponse(new CodedError("not_found"), log));
  if (page) app.get("*", (context) => page(context.req.raw));

  const listener = getRequestListener(app.fetch);
  const server = http.createServer((request, response) => {
    const traceId = traceIdFrom(request.headers.traceparent?.toString());
    const begun = performance.now();
    withTrace(traceId, () => {
      response.on("close", () => {
        const ms = Math.round(performance.now() - begun);
        log.debug(
          { method: request.method, path: request.url?.split("?", 1)[0], status: response.statusCode, ms },
          "request",
        );
      });
      void listener(request, response);
    });
  });
  server.on("upgrade", onUpgrade);
  // Uploads and event streams take as long as they take.
  server.requestTimeout = 0;

  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(taken ? new CodedError("port_taken", `Port ${port} on ${host} is in use.`, { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
  return {
    address: addressOf(server.address(), host),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function addressOf(bound: AddressInfo | string | null, host: string): string {
  const port = typeof bound === "object" && bound ? bound.port : 0;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
