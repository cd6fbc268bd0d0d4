import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import { epochHeader } from "@alcove/contract/box/health";
import type { Identity } from "../identity/identity.ts";
import { type Log, traceIdFrom, traceparent, withTrace } from "../log/log.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";
import type { WorkspaceStore } from "../workspaces/workspace-store.ts";
import { problemOf } from "./problem.ts";
import { isOwnOrigin } from "./origin.ts";

interface Parts {
  readonly identity: Identity;
  readonly workspaces: Workspaces;
  readonly store: WorkspaceStore;
  readonly log: Log;
  readonly stopping: AbortSignal;
}

const terminalPath = /^\/api\/v1\/workspaces\/([^/?]+)\/terminals\/([^/?]+)(?:\?(.*))?$/;
const handshakeHeaders = [
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
];

/**
 * WebSockets to terminals. Who asks is checked here; then the daemon does the handshake and the bytes pass through untouched.
 */
export function createTerminalSockets({ identity, workspaces, store, log, stopping }: Parts) {
  const open = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const match = terminalPath.exec(request.url ?? "");
    if (!match?.[1] || !match[2]) throw new CodedError("not_found");
    const headers = new Headers();
    for (const name of ["authorization", "cookie"] as const)
      if (request.headers[name]) headers.set(name, request.headers[name]);
    const principal = await identity.principal(headers);
    if (!principal) throw new CodedError("not_signed_in");
    if (principal.via === "cookie" && !isOwnOrigin(request.headers.origin, request.headers.host))
      throw new CodedError("origin_refused");
    const row = await store.owned(principal.user, decodeURIComponent(match[1]));
    const { id } = row;
    const query = new URLSearchParams(match[3]);
    // A page in the background that finds its way back is not somebody who comes in.
    if (query.get("wake") === "false" && row.box !== "running") throw new CodedError("workspace_asleep");
    const box = await workspaces.reach(id, stopping);
    const inner = await box.connect(stopping);
    const after = query.get("after");
    const from = after !== null && /^\d{1,15}$/.test(after) ? `?after=${after}` : "";
    const lines = [
      `GET /v1/terminals/${encodeURIComponent(decodeURIComponent(match[2]))}/attach${from} HTTP/1.1`,
      "host: box",
      "connection: Upgrade",
      "upgrade: websocket",
      `${epochHeader}: ${box.epoch}`,
      `traceparent: ${traceparent()}`,
    ];
    for (const name of handshakeHeaders) {
      const value = request.headers[name];
      if (typeof value === "string") lines.push(`${name}: ${value}`);
    }
    inner.write(`${lines.join("\r\n")}\r\n\r\n`);
    if (head.length > 0) inner.write(head);
    socket.on("data", (bytes: Buffer) => {
      if (isMessage(bytes)) workspaces.touch(id);
    });
    join(socket, inner);
  };

  const join = (outer: Duplex, inner: Duplex) => {
    const close = () => {
      outer.destroy();
      inner.destroy();
    };
    for (const stream of [outer, inner]) {
      stream.on("error", close);
      stream.on("close", close);
    }
    stopping.addEventListener("abort", close, { once: true });
    inner.on("close", () => stopping.removeEventListener("abort", close));
    outer.pipe(inner).pipe(outer);
  };

  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const gone = () => socket.destroy();
    socket.on("error", gone);
    void withTrace(traceIdFrom(request.headers.traceparent?.toString()), () =>
      open(request, socket, head).catch((error: unknown) => {
        const coded = toCodedError(error);
        if (coded.code === "internal") log.error({ err: error }, "a terminal could not be joined");
        const problem = problemOf(coded);
        const body = JSON.stringify(problem);
        socket.end(
          `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        );
      }),
    );
  };
}

/** True for the beginning of a message (RFC 6455, 5.2: opcode 1 or 2): keys that were typed, not the browser's own answers to pings. */
function isMessage(bytes: Buffer): boolean {
  const opcode = (bytes[0] ?? 0) & 0x0f;
  return opcode === 1 || opcode === 2;
}
