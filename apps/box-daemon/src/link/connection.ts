import type { Socket, SocketHandler } from "bun";
import { describe, log } from "../system/log.ts";

/** Hears what comes over a connection. */
export interface Receiver {
  bytes(chunk: Uint8Array): void;
  /** The peer sends no more; it may still read. */
  end(): void;
}

/**
 * One side of a stream of bytes with backpressure and half-open ends. It stands on Bun's sockets instead of node:net, whose modules alone would hold half as
 * much memory as the whole daemon of an idle box.
 */
export interface Connection {
  /** Nothing is read while there is no receiver; a new one takes the place of the old one. */
  receive(receiver: Receiver): void;
  /** Takes the receiver away: what comes next is for another one. */
  release(): void;
  pause(): void;
  resume(): void;
  /** False when the bytes, or some of them, must wait: `onDrain` tells when they have left. What is written after an end or a close is lost. */
  write(bytes: Uint8Array | string): boolean;
  /** There is one such listener, the last. */
  onDrain(drained: () => void): void;
  /** Sends the end behind what waits; the peer's bytes still come. */
  end(): void;
  /** Closes behind what waits, in both directions. */
  close(): void;
  /** Closes now; what waits is lost. */
  destroy(): void;
  readonly closed: boolean;
  /** Calls back once it is closed by whichever side, with the reason when it broke; at once when it is closed already. */
  onClose(closed: (error: Error | undefined) => void): void;
}

/** A connection with what its socket tells it. */
export interface Wire extends Connection {
  arrived(bytes: Uint8Array): void;
  peerEnded(): void;
  writable(): void;
  gone(error: Error | undefined): void;
}

/** The socket handlers of a server or a client; half-open connections must be allowed. */
export function wireHandlers(opened: (connection: Connection) => void): SocketHandler<Wire> {
  return {
    open(socket) {
      const wire = createWire(socket);
      socket.data = wire;
      opened(wire);
    },
    data: (socket, bytes) => socket.data.arrived(bytes),
    end: (socket) => socket.data.peerEnded(),
    drain: (socket) => socket.data.writable(),
    close: (socket, error) => socket.data.gone(error),
    error(socket, error) {
      log("error", "A connection failed", { error: describe(error) });
      socket.data.destroy();
    },
    // The promise of the connect says the same.
    connectError: () => undefined,
  };
}

/** A connection that nobody reads yet. The promise rejects when nothing listens. */
export async function connect(to: { hostname: string; port: number } | { unix: string }): Promise<Connection> {
  const socket = wireHandlers(() => undefined);
  const { data } = await ("unix" in to
    ? Bun.connect({ ...to, allowHalfOpen: true, socket })
    : Bun.connect({ ...to, allowHalfOpen: true, socket }));
  return data;
}

function createWire(socket: Socket<Wire>): Wire {
  let receiver: Receiver | null = null;
  let paused = true;
  let ended = false;
  /** What came although the socket was paused: it had been read already. */
  let early: Uint8Array[] = [];
  let waiting: Uint8Array[] = [];
  /** What follows when nothing waits any more. */
  let next: "stay" | "end" | "close" = "stay";
  let sentEnd = false;
  let drained: (() => void) | null = null;
  let closed: { error: Error | undefined } | null = null;
  const closeListeners: ((error: Error | undefined) => void)[] = [];
  socket.pause();

  const deliver = () => {
    // Backpressure ends with the connection: what was read before still goes on its way.
    while (receiver !== null && (!paused || closed !== null)) {
      const chunk = early.shift();
      if (chunk !== undefined) receiver.bytes(chunk);
      else if (ended) {
        ended = false;
        receiver.end();
      } else return;
    }
  };

  const flush = () => {
    while (waiting.length > 0) {
      const chunk = waiting[0] ?? new Uint8Array(0);
      const written = Math.max(0, socket.write(chunk));
      if (written < chunk.length) {
        waiting[0] = chunk.subarray(written);
        return;
      }
      waiting.shift();
    }
    if (next === "close") socket.end();
    else if (next === "end" && !sentEnd) {
      sentEnd = true;
      socket.shutdown();
    }
  };

  const wire: Wire = {
    receive(newReceiver) {
      receiver = newReceiver;
      wire.resume();
    },
    release() {
      receiver = null;
      wire.pause();
    },
    pause() {
      paused = true;
      if (closed === null) socket.pause();
    },
    resume() {
      paused = false;
      deliver();
      // The receiver may have paused again meanwhile.
      if (!paused && closed === null) socket.resume();
    },
    write(bytes) {
      if (closed !== null || next !== "stay") return true;
      waiting.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
      if (waiting.length === 1) flush();
      return waiting.length === 0;
    },
    onDrain(newDrained) {
      drained = newDrained;
    },
    end() {
      if (closed !== null || next !== "stay") return;
      next = "end";
      flush();
    },
    close() {
      if (closed !== null) return;
      next = "close";
      flush();
    },
    destroy() {
      if (closed !== null) return;
      socket.terminate();
    },
    get closed() {
      return closed !== null;
    },
    onClose(listener) {
      if (closed === null) closeListeners.push(listener);
      else listener(closed.error);
    },
    arrived(bytes) {
      early.push(bytes);
      deliver();
    },
    peerEnded() {
      ended = true;
      deliver();
    },
    writable() {
      if (closed !== null || waiting.length === 0) return;
      flush();
      if (waiting.length === 0 && next === "stay") drained?.();
    },
    gone(error) {
      if (closed !== null) return;
      closed = { error };
      waiting = [];
      deliver();
      for (const listener of closeListeners) listener(error);
    },
  };
  return wire;
}
