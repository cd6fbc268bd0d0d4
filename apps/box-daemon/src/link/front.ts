import { formatRawAnswer, parseRawRequest, rawLineLimit, rawPrefix, type RawRequest } from "@alcove/contract/box/raw";
import { toCodedError } from "@alcove/contract/errors";
import { connect, wireHandlers, type Connection } from "./connection.ts";
import { splice } from "./splice.ts";

/** What the raw verbs do with connections; `uplink` takes the caller's own over and answers it. */
export interface RawVerbs {
  tunnel(port: number): Promise<Connection>;
  stream(id: string): Connection;
  uplink(connection: Connection): void;
}

/** Milliseconds that a new connection may stay silent. */
const silenceMs = 30_000;

/** Listens on the link socket and looks at the first bytes of each connection: the raw protocol, or HTTP for the inner server. */
export function listenFront(options: {
  listen: { fd: number } | { path: string };
  httpSocket: string;
  verbs: RawVerbs;
}): { stop(): void } {
  const socket = wireHandlers((caller) =>
    readHead(caller, (head) => {
      if (!head.subarray(0, rawPrefix.length).equals(prefix)) {
        void passOn(caller, head, options.httpSocket);
        return;
      }
      const end = head.indexOf(lineFeed);
      const request = end < 0 ? null : parseRawRequest(head.subarray(0, end).toString("latin1"));
      void answer(caller, request, head.subarray(end + 1), options.verbs);
    }),
  );
  const { listen } = options;
  const place: object = "fd" in listen ? listen : { unix: listen.path };
  // A descriptor that listens already is what node:net gives it, too, though the types do not say so.
  return Bun.listen({ unix: "", ...place, allowHalfOpen: true, socket });
}

const prefix = Buffer.from(rawPrefix);
const lineFeed = 0x0a;

/** Reads until it is clear that the connection is HTTP, or until the raw request's line is complete; the connection is then without a receiver. */
function readHead(caller: Connection, done: (head: Buffer) => void): void {
  let head: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => caller.destroy(), silenceMs);
  caller.onClose(() => clearTimeout(timer));
  caller.receive({
    bytes(chunk) {
      head = Buffer.concat([head, chunk]);
      const compared = Math.min(head.length, prefix.length);
      const raw = head.subarray(0, compared).equals(prefix.subarray(0, compared));
      if (raw && !head.subarray(0, rawLineLimit).includes(lineFeed) && head.length < rawLineLimit) return;
      clearTimeout(timer);
      caller.release();
      done(head);
    },
    end: () => caller.destroy(),
  });
}

async function passOn(caller: Connection, head: Buffer, httpSocket: string): Promise<void> {
  const http = await connect({ unix: httpSocket }).catch(() => null);
  if (http === null) {
    caller.destroy();
    return;
  }
  http.write(head);
  splice(caller, http);
}

async function answer(caller: Connection, request: RawRequest | null, rest: Buffer, verbs: RawVerbs): Promise<void> {
  if (request === null) {
    caller.write(formatRawAnswer({ ok: false, code: "bad_request", detail: "The raw request is malformed" }));
    caller.close();
    return;
  }
  if (request.verb === "uplink") {
    verbs.uplink(caller);
    return;
  }
  try {
    const peer = request.verb === "tunnel" ? await verbs.tunnel(request.port) : verbs.stream(request.stream);
    caller.write(formatRawAnswer({ ok: true }));
    if (rest.length > 0) peer.write(rest);
    splice(caller, peer);
  } catch (error) {
    const { code, message } = toCodedError(error);
    caller.write(formatRawAnswer({ ok: false, code, detail: message }));
    caller.close();
  }
}
