import { formatRawAnswer, streamWaitMs, uplinkPingMs, type UplinkLine } from "@alcove/contract/box/raw";
import { CodedError } from "@alcove/contract/errors";
import { log } from "../system/log.ts";
import { wireHandlers, type Connection } from "./connection.ts";

/** Connections that may wait for their stream at the same time; one more is closed at once. */
const waitingLimit = 256;

export interface Gateway {
  /** Makes the connection the uplink; an older one is closed. Connections that wait are announced again. */
  uplink(connection: Connection): void;
  /** Hands over the waiting connection. Gives `not_found` when it is gone or was taken. */
  take(id: string): Connection;
}

/** Listens on the box's gateway port and holds each connection until the control plane opens a stream for it. */
export function listenGateway(port: number): Gateway {
  const waiting = new Map<string, { connection: Connection; timer: ReturnType<typeof setTimeout> }>();
  let uplink: Connection | null = null;
  let nextId = 0;

  const send = (line: UplinkLine) => uplink?.write(`${JSON.stringify(line)}\n`);

  listen(port, (connection) => {
    if (waiting.size >= waitingLimit) {
      connection.destroy();
      return;
    }
    const id = `${(nextId++).toString(36)}x${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`;
    const timer = setTimeout(() => connection.destroy(), streamWaitMs);
    waiting.set(id, { connection, timer });
    connection.onClose(() => {
      clearTimeout(timer);
      waiting.delete(id);
    });
    send({ open: id });
  });

  return {
    uplink(connection) {
      uplink?.destroy();
      uplink = connection;
      connection.write(formatRawAnswer({ ok: true }));
      const ping = setInterval(() => send({ ping: true }), uplinkPingMs);
      connection.onClose(() => {
        clearInterval(ping);
        if (uplink === connection) uplink = null;
      });
      connection.receive({ bytes: () => undefined, end: () => connection.destroy() });
      for (const id of waiting.keys()) send({ open: id });
    },
    take(id) {
      const entry = waiting.get(id);
      if (entry === undefined) throw new CodedError("not_found", `No connection waits for stream ${id}`);
      clearTimeout(entry.timer);
      waiting.delete(id);
      return entry.connection;
    },
  };
}

/** Another program of the box may sit on the port; the daemon then serves everything else and tries again. */
function listen(port: number, opened: (connection: Connection) => void): void {
  const retryMs = 2_000;
  try {
    Bun.listen({
      hostname: "127.0.0.1",
      port,
      exclusive: true,
      allowHalfOpen: true,
      socket: wireHandlers(opened),
    });
  } catch (error) {
    log("error", "Cannot listen on the gateway port", { port, error: String(error) });
    setTimeout(() => listen(port, opened), retryMs);
  }
}
