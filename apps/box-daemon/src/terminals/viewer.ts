import type { terminalFrame } from "@alcove/contract/api/workspace";
import { maskQuestions, unfinishedSequence } from "./mask.ts";
import type { LiveTerminal } from "./terminal.ts";

/** The contract's own constant would bring its schemas along; the type keeps the two equal. */
export const frame: typeof terminalFrame = { output: 0x00, reset: 0x01, exit: 0x02, input: 0x10, resize: 0x11 };

const chunkBytes = 64 * 1024;
/** Bytes that may wait on the way to a viewer before it gets no more. */
const aheadBytes = 512 * 1024;
/** Milliseconds that the beginning of an escape sequence waits for its rest. */
const sequenceMs = 30;

/** Where a viewer's frames go. */
export interface ViewerSocket {
  send(frame: Uint8Array): void;
  /** Bytes given to `send` that have not left yet. */
  waiting(): number;
  close(): void;
}

export interface Viewer {
  /** To be called when bytes have left. */
  drained(): void;
  received(frame: Uint8Array): void;
  close(): void;
}

/** Shows a terminal to one viewer from the byte behind `after`, or from the oldest one when it is null. */
export function createViewer(terminal: LiveTerminal, after: number | null, socket: ViewerSocket): Viewer {
  const { output } = terminal;
  let offset = after ?? 0;
  let redrawing = false;
  let closed = false;
  let timer: ReturnType<typeof setTimeout> | null = null;
  // What was there before is history: nobody may answer questions in it.
  const historyEnd = output.end();

  const sendOutput = (at: number, bytes: Uint8Array) => {
    const head = Buffer.alloc(9);
    head.writeUInt8(frame.output, 0);
    head.writeBigUInt64BE(BigInt(at), 1);
    socket.send(Buffer.concat([head, bytes]));
  };
  const sendReset = (at: number) => {
    const head = Buffer.alloc(9);
    head.writeUInt8(frame.reset, 0);
    head.writeBigUInt64BE(BigInt(at), 1);
    socket.send(head);
  };

  const redraw = async () => {
    redrawing = true;
    const end = output.end();
    const screen = await terminal.redraw();
    redrawing = false;
    if (closed) return;
    if (screen === null || screen.length > end) {
      offset = output.start();
      sendReset(offset);
    } else {
      sendReset(end - screen.length);
      sendOutput(end - screen.length, screen);
      offset = end;
    }
    pump();
  };

  const pump = () => {
    while (!closed && !redrawing && socket.waiting() < aheadBytes) {
      const end = output.end();
      if (offset < output.start() || offset > end) {
        void redraw();
        return;
      }
      if (offset === end) break;
      const bytes = output.read(offset, Math.min(chunkBytes, end - offset));
      const masked = terminal.answersQueries || offset < historyEnd;
      // A question that is cut in two would pass unseen.
      const held = masked && timer === null ? unfinishedSequence(bytes) : 0;
      if (held === bytes.length) {
        timer = setTimeout(expire, sequenceMs);
        return;
      }
      const piece = bytes.subarray(0, bytes.length - held);
      sendOutput(offset, masked ? maskQuestions(piece) : piece);
      offset += piece.length;
    }
    const ended = terminal.ended();
    if (closed || redrawing || ended === null || offset < output.end()) return;
    socket.send(Buffer.concat([Buffer.from([frame.exit]), Buffer.from(JSON.stringify(ended))]));
    socket.close();
  };
  const expire = () => {
    pump();
    timer = null;
  };

  const unsubscribe = output.subscribe(pump);
  queueMicrotask(pump);
  return {
    drained: pump,
    received(message) {
      const [kind] = message;
      const body = Buffer.from(message.buffer, message.byteOffset + 1, Math.max(0, message.byteLength - 1));
      if (kind === frame.input) terminal.write(body);
      if (kind === frame.resize && body.length === 4)
        terminal.resize(clampSize(body.readUInt16BE(0)), clampSize(body.readUInt16BE(2)));
    },
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      unsubscribe();
    },
  };
}

function clampSize(value: number): number {
  return Math.min(1_000, Math.max(2, value));
}
