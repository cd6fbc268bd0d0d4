import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { parseUplinkLine } from "@alcove/contract/box/raw";
import type { TestDaemon } from "./start-daemon.ts";

export interface PlayedGateway extends AsyncDisposable {
  /** Credentials that programs in the box have sent. */
  readonly tokens: ReadonlySet<string>;
}

/** Plays the control plane's part: takes the box's gateway connections over the link and passes their requests on to a model, with its real key. */
export async function playGateway(daemon: TestDaemon, model: { url: string; key: string }): Promise<PlayedGateway> {
  const tokens = new Set<string>();
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").replace(/^\/(?:anthropic|openai)(?=\/)/, "");
    const sent = request.headers["x-api-key"] ?? request.headers.authorization?.replace("Bearer ", "");
    if (typeof sent === "string") tokens.add(sent);
    const headers = { ...request.headers, "x-api-key": model.key };
    delete headers.authorization;
    const upstream = httpRequest(`${model.url}${path}`, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  });
  const uplink = await daemon.raw({ verb: "uplink" });
  const lines = createInterface({ input: uplink });
  lines.on("line", (text) => {
    const line = parseUplinkLine(text);
    if (line === null || !("open" in line)) return;
    daemon.raw({ verb: "stream", stream: line.open }).then(
      (socket) => server.emit("connection", socket),
      () => undefined,
    );
  });
  return {
    tokens,
    async [Symbol.asyncDispose]() {
      lines.close();
      uplink.destroy();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}

/** True when something accepts connections on the loopback port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
