import { once } from "node:events";
import { WebSocket } from "ws";
import { terminalFrame } from "@alcove/contract/api/workspace";
import type { TestDaemon } from "./start-daemon.ts";

/** A viewer of a terminal. */
export interface Attached extends AsyncDisposable {
  type(text: string): void;
  resize(cols: number, rows: number): void;
  text(): string;
  bytes(): Buffer;
  /** The offset behind the last byte that it got. */
  offset(): number;
  resets(): number;
  until(found: (text: string) => boolean): Promise<void>;
  /** Exit code of the terminal. */
  readonly exit: Promise<number>;
  readonly closed: Promise<unknown>;
}

/** Attaches to a terminal and checks that every frame begins where the last one ended. */
export async function attach(daemon: TestDaemon, id: string, after?: number): Promise<Attached> {
  const query = after === undefined ? "" : `?after=${after}`;
  const socket = new WebSocket(`ws://box/v1/terminals/${id}/attach${query}`, { createConnection: () => daemon.dial() });
  const chunks: Buffer[] = [];
  const waiting = new Set<() => void>();
  let offset = after ?? null;
  let resets = 0;
  let fault: Error | null = null;
  let ended: (code: number) => void = () => undefined;
  const exit = new Promise<number>((resolve) => {
    ended = resolve;
  });
  socket.on("message", (message: Buffer) => {
    if (message[0] === terminalFrame.exit) ended(JSON.parse(message.subarray(1).toString()).exitCode);
    else {
      const at = Number(message.readBigUInt64BE(1));
      if (message[0] === terminalFrame.reset) resets += 1;
      else if (offset !== null && at !== offset) fault = new Error(`A frame begins at ${at}, not at ${offset}`);
      offset = at + message.length - 9;
      chunks.push(message.subarray(9));
    }
    for (const look of waiting) look();
  });
  const closed = once(socket, "close");
  await once(socket, "open");
  const text = () => Buffer.concat(chunks).toString("utf8");
  return {
    type: (input) => socket.send(Buffer.concat([Buffer.from([terminalFrame.input]), Buffer.from(input)])),
    resize(cols, rows) {
      const frame = Buffer.from([terminalFrame.resize, 0, 0, 0, 0]);
      frame.writeUInt16BE(cols, 1);
      frame.writeUInt16BE(rows, 3);
      socket.send(frame);
    },
    text,
    bytes: () => Buffer.concat(chunks),
    offset: () => offset ?? 0,
    resets: () => resets,
    until: (found) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (fault !== null) reject(fault);
          if (!found(text())) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        socket.once("close", () =>
          reject(new Error(`The terminal closed; it had shown ${JSON.stringify(text().slice(-2000))}`)),
        );
        look();
      }),
    exit,
    closed,
    async [Symbol.asyncDispose]() {
      socket.terminate();
      await closed;
    },
  };
}
