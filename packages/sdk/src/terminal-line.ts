import { terminalFrame } from "@alcove/contract/api/workspace";
import { z } from "zod";

export interface TerminalLineOptions {
  /** Address of the WebSocket that sends the output behind this byte offset; a sleeping workspace is woken only by `wake`. */
  url: (after: number, wake: boolean) => string;
  /** Headers that identify the caller, where the WebSocket of the platform can send any. */
  headers?: Readonly<Record<string, string>>;
  /** Byte offset behind which output is wanted. */
  after?: number;
  size: { cols: number; rows: number };
  /** Output in order, every byte once. */
  onOutput: (bytes: Uint8Array) => void;
  /** Older output is gone: clear the screen, what follows draws it again. */
  onReset: () => void;
  onExit: (exitCode: number | null) => void;
  onLine?: (state: "open" | "lost") => void;
}

export interface TerminalLine extends Disposable {
  /** Types into the terminal. What is typed while the line is down is sent when it is back. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  resize(size: { cols: number; rows: number }): void;
  close(): void;
}

const longestPauseMs = 5_000;
/** Bytes typed while the line is down; more than a person types, and less than would surprise when it all arrives at once. */
const longestBacklog = 65_536;

/**
 * A line to a terminal that is opened again behind the last byte when it drops. Opening it wakes the workspace, and so does typing; a line that
 * comes back by itself does not.
 */
export function openTerminalLine(options: TerminalLineOptions): TerminalLine {
  let offset = options.after ?? 0;
  let size = options.size;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let over = false;
  let opened = false;
  let backlog: Uint8Array<ArrayBuffer>[] = [];

  const connect = () => {
    const current = openSocket(options.url(offset, !opened || backlog.length > 0), options.headers ?? {});
    current.binaryType = "arraybuffer";
    socket = current;
    current.addEventListener("open", () => {
      failures = 0;
      opened = true;
      options.onLine?.("open");
      current.send(resizeFrame(size));
      for (const bytes of backlog.splice(0)) current.send(inputFrame(bytes));
    });
    current.addEventListener("message", (message) => {
      const frame: unknown = message.data;
      if (frame instanceof ArrayBuffer) receive(new Uint8Array(frame));
    });
    current.addEventListener("close", () => {
      if (over || socket !== current) return;
      socket = null;
      options.onLine?.("lost");
      timer = setTimeout(connect, Math.min(longestPauseMs, 250 * 2 ** failures));
      failures += 1;
    });
  };

  const receive = (frame: Uint8Array) => {
    const kind = frame[0];
    if (kind === terminalFrame.exit) {
      finish();
      options.onExit(exitCodeOf(frame.subarray(1)));
      return;
    }
    if (frame.byteLength < 9) return;
    const at = Number(new DataView(frame.buffer, frame.byteOffset, 9).getBigUint64(1));
    if (kind === terminalFrame.reset) {
      offset = at;
      options.onReset();
    }
    if (kind !== terminalFrame.output) return;
    const fresh = frame.subarray(9 + Math.max(0, offset - at));
    offset = Math.max(offset, at + frame.byteLength - 9);
    if (fresh.byteLength > 0) options.onOutput(fresh);
  };

  const finish = () => {
    over = true;
    clearTimeout(timer);
    socket?.close();
    socket = null;
  };

  connect();
  return {
    send(bytes) {
      if (socket?.readyState === WebSocket.OPEN) return socket.send(inputFrame(bytes));
      if (backlog.reduce((sum, part) => sum + part.byteLength, bytes.byteLength) > longestBacklog) return;
      backlog = [...backlog, bytes];
      if (over || socket) return;
      clearTimeout(timer);
      connect();
    },
    resize(next) {
      size = next;
      if (socket?.readyState === WebSocket.OPEN) socket.send(resizeFrame(next));
    },
    close: finish,
    [Symbol.dispose]: finish,
  };
}

/** Node and Bun take headers as an option of the WebSocket; browsers have none to give, and the cookie is sent by itself. */
function openSocket(url: string, headers: Readonly<Record<string, string>>): WebSocket {
  if (Object.keys(headers).length === 0) return new WebSocket(url);
  const socket: unknown = Reflect.construct(WebSocket, [url, { headers }]);
  if (socket instanceof WebSocket) return socket;
  throw new TypeError("This platform's WebSocket takes no headers");
}

function inputFrame(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(bytes.byteLength + 1);
  frame[0] = terminalFrame.input;
  frame.set(bytes, 1);
  return frame;
}

function resizeFrame(size: { cols: number; rows: number }): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(5);
  const view = new DataView(frame.buffer);
  view.setUint8(0, terminalFrame.resize);
  view.setUint16(1, size.cols);
  view.setUint16(3, size.rows);
  return frame;
}

const exitSchema = z.object({ exitCode: z.number().nullable() });

function exitCodeOf(bytes: Uint8Array): number | null {
  try {
    return exitSchema.parse(JSON.parse(new TextDecoder().decode(bytes))).exitCode;
  } catch {
    return null;
  }
}
