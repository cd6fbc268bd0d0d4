import { createServer, type Server, type Socket } from "node:net";
import { formatRawAnswer, streamWaitMs, uplinkPingMs, type UplinkLine } from "@alcove/contract/box/raw";
import { CodedError } from "@alcove/contract/errors";
import { log } from "../system/log.ts";

/** Connections that may wait for their stream at the same time; one more is closed at once. */
const waitingLimit = 256;

export interface Gateway {
  /** Makes the socket the uplink; an older one is closed. Connections that wait are announced again. */
  uplink(socket: Socket): void;
  /** Hands over the waiting connection. Gives `not_found` when it is gone or was taken. */
  take(id: string): Socket;
}

/** Listens on the box's gateway port and holds each connection until the control plane opens a stream for it. */
export async function listenGateway(port: number): Promise<Gateway> {
  const waiting = new Map<string, { socket: Socket; timer: ReturnType<typeof setTimeout> }>();
  let uplink: Socket | null = null;
  let nextId = 0;

  const send = (line: UplinkLine) => uplink?.write(`${JSON.stringify(line)}\n`);

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    if (waiting.size >= waitingLimit) {
      socket.destroy();
      return;
    }
    const id = `${(nextId++).toString(36)}x${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`;
    const forget = () => {
      clearTimeout(waiting.get(id)?.timer);
      waiting.delete(id);
    };
    const timer = setTimeout(() => socket.destroy(), streamWaitMs);
    waiting.set(id, { socket, timer });
    socket.once("close", forget);
    socket.on("error", () => socket.destroy());
    send({ open: id });
  });
  await listen(server, port);

  return {
    uplink(socket) {
      uplink?.destroy();
      uplink = socket;
      socket.write(formatRawAnswer({ ok: true }));
      const ping = setInterval(() => send({ ping: true }), uplinkPingMs);
      socket.once("close", () => {
        clearInterval(ping);
        if (uplink === socket) uplink = null;
      });
      socket.once("end", () => socket.destroy());
      socket.resume();
      for (const id of waiting.keys()) send({ open: id });
    },
    take(id) {
      const entry = waiting.get(id);
      if (entry === undefined) throw new CodedError("not_found", `No connection waits for stream ${id}`);
      clearTimeout(entry.timer);
      waiting.delete(id);
      return entry.socket;
    },
  };
}

/** Another program of the box may sit on the port; the daemon then serves everything else and tries again. */
async function listen(server: Server, port: number): Promise<void> {
  const retryMs = 2_000;
  const attempt = () =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: "127.0.0.1", port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  try {
    await attempt();
  } catch (error) {
    log("error", "Cannot listen on the gateway port", { port, error: String(error) });
    setTimeout(() => void listen(server, port), retryMs);
  }
}
