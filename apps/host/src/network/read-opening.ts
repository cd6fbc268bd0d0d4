import type { Socket } from "node:net";
import { readOpening } from "./opening.ts";

/** What a connection begins with; its bytes were taken from it and wait in `head`. `silent` when it said nothing in time. */
export type Begun =
  | { kind: "named"; host: string; head: Buffer }
  | { kind: "nameless"; head: Buffer }
  | { kind: "silent" }
  | { kind: "broken" }
  | { kind: "ended" };

/** An opening that comes in more pieces than this is somebody's game. */
const mostPieces = 200;
/** Milliseconds from the first byte of an opening to its last. */
const wholeOpeningMs = 10_000;

/** Reads a connection's opening and leaves the connection paused; waits for its first byte so long, or as long as the connection lasts. Never rejects. */
export function readBeginning(socket: Socket, silenceMs?: number): Promise<Begun> {
  return new Promise((resolve) => {
    let head: Buffer = Buffer.alloc(0);
    let pieces = 0;
    const finish = (begun: Begun): void => {
      clearTimeout(timer);
      socket.off("data", onData);
      socket.off("end", onEnd);
      socket.off("close", onEnd);
      socket.pause();
      resolve(begun);
    };
    const onData = (piece: Buffer): void => {
      if (pieces === 0) {
        clearTimeout(timer);
        timer = setTimeout(() => finish({ kind: "broken" }), wholeOpeningMs);
      }
      head = Buffer.concat([head, piece]);
      pieces += 1;
      const opening = readOpening(head);
      if (opening.kind === "named") return finish({ ...opening, head });
      if (opening.kind === "nameless") return finish({ kind: "nameless", head });
      if (opening.kind === "broken" || pieces >= mostPieces) finish({ kind: "broken" });
    };
    // Whoever ends in the middle of an opening has said what no host is known of.
    const onEnd = (): void => finish(head.length === 0 ? { kind: "ended" } : { kind: "broken" });
    let timer = silenceMs === undefined ? undefined : setTimeout(() => finish({ kind: "silent" }), silenceMs);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("close", onEnd);
    socket.resume();
  });
}
