import { createServer, connect, type Server, type Socket } from "node:net";
import { formatRawAnswer, parseRawRequest, rawLineLimit, rawPrefix, type RawRequest } from "@alcove/contract/box/raw";
import { toCodedError } from "@alcove/contract/errors";
import { splice } from "./splice.ts";

/** What the raw verbs do. Each takes the socket over after the answer; `head` is what came behind the request's line. */
export interface RawVerbs {
  tunnel(port: number): Promise<Socket>;
  stream(id: string): Socket;
  uplink(socket: Socket): void;
}

/** Milliseconds that a new connection may stay silent. */
const silenceMs = 30_000;

/** Listens on the link socket and looks at the first bytes of each connection: the raw protocol, or HTTP for the inner server. */
export function listenFront(options: {
  listen: { fd: number } | { path: string };
  httpSocket: string;
  verbs: RawVerbs;
}): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    readHead(socket, (head) => {
      if (!head.subarray(0, rawPrefix.length).equals(prefix)) {
        const http = connect({ path: options.httpSocket, allowHalfOpen: true });
        http.write(head);
        splice(socket, http);
        return;
      }
      const end = head.indexOf(lineFeed);
      const request = end < 0 ? null : parseRawRequest(head.subarray(0, end).toString("latin1"));
      void answer(socket, request, head.subarray(end + 1), options.verbs);
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.listen, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

const prefix = Buffer.from(rawPrefix);
const lineFeed = 0x0a;

/** Reads until it is clear that the connection is HTTP, or until the raw request's line is complete; the socket is then paused. */
function readHead(socket: Socket, done: (head: Buffer) => void): void {
  let head: Buffer = Buffer.alloc(0);
  const drop = () => socket.destroy();
  const timer = setTimeout(drop, silenceMs);
  const onData = (chunk: Buffer) => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const compared = Math.min(head.length, prefix.length);
    const raw = head.subarray(0, compared).equals(prefix.subarray(0, compared));
    if (raw && !head.subarray(0, rawLineLimit).includes(lineFeed) && head.length < rawLineLimit) return;
    clearTimeout(timer);
    socket.pause();
    socket.off("data", onData);
    socket.off("error", drop);
    socket.off("end", drop);
    done(head);
  };
  socket.on("data", onData);
  socket.on("error", drop);
  socket.on("end", drop);
  socket.on("close", () => clearTimeout(timer));
}

async function answer(socket: Socket, request: RawRequest | null, rest: Buffer, verbs: RawVerbs): Promise<void> {
  const drop = () => socket.destroy();
  socket.on("error", drop);
  if (request === null) {
    socket.end(formatRawAnswer({ ok: false, code: "bad_request", detail: "The raw request is malformed" }), drop);
    return;
  }
  if (request.verb === "uplink") {
    verbs.uplink(socket);
    return;
  }
  try {
    const peer = request.verb === "tunnel" ? await verbs.tunnel(request.port) : verbs.stream(request.stream);
    if (socket.destroyed) {
      peer.destroy();
      return;
    }
    socket.write(formatRawAnswer({ ok: true }));
    if (rest.length > 0) peer.write(rest);
    splice(socket, peer);
  } catch (error) {
    const { code, message } = toCodedError(error);
    socket.end(formatRawAnswer({ ok: false, code, detail: message }), drop);
  }
}
