import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import type { JournalBody } from "@alcove/contract/box/run";

const lineFeed = 0x0a;
const chunkBytes = 64 * 1024;

/** Appends entries to a run's journal. The file has one writer at a time: whoever holds the run's lock. */
export interface JournalWriter {
  /** Writes the entry before it returns, and gives its number. */
  append(body: JournalBody): number;
  close(): void;
}

/** Opens the journal for writing. A last line that a crash has torn is cut off; numbers go on behind the last whole entry. */
export function openJournal(path: string, now: () => Date = () => new Date()): JournalWriter {
  const fd = openSync(path, "a+", 0o600);
  const { end, seq } = findEnd(fd);
  if (fstatSync(fd).size > end) ftruncateSync(fd, end);
  let last = seq;
  return {
    append(body) {
      const line = Buffer.from(`${JSON.stringify({ seq: last + 1, at: now().toISOString(), ...body })}\n`);
      let written = 0;
      while (written < line.length) written += writeSync(fd, line, written);
      // Deltas of text are many and small; what decides something must outlive a power cut.
      if (body.type !== "update") fdatasyncSync(fd);
      last += 1;
      return last;
    },
    close: () => closeSync(fd),
  };
}

/** The offset behind the last whole line and that line's number; 0 and 0 for an empty journal. */
function findEnd(fd: number): { end: number; seq: number } {
  let end = 0;
  let seq = 0;
  for (const line of readLines(fd, 0)) {
    end += line.length;
    seq = seqOf(line);
  }
  return { end, seq };
}

/** The whole lines from the offset to the end of the file, each with its line feed. */
export function* readLines(fd: number, offset: number): Generator<Buffer, void> {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let rest: Buffer[] = [];
  let position = offset;
  while (true) {
    const count = readSync(fd, chunk, 0, chunk.length, position);
    if (count === 0) return;
    position += count;
    let start = 0;
    for (let at = chunk.indexOf(lineFeed, start); at >= 0 && at < count; at = chunk.indexOf(lineFeed, start)) {
      const piece = Buffer.from(chunk.subarray(start, at + 1));
      yield rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
      rest = [];
      start = at + 1;
    }
    if (start < count) rest.push(Buffer.from(chunk.subarray(start, count)));
  }
}

/** The number at the beginning of an entry's line: entries are written by this file, always with `seq` first. */
export function seqOf(line: Buffer): number {
  const match = /^\{"seq":(\d+),/.exec(line.toString("latin1", 0, 32));
  return match === null ? 0 : Number(match[1]);
}

/** True when the line is a run's last entry. */
export function isEnd(line: Buffer): boolean {
  return /^\{"seq":\d+,"at":"[^"]*","type":"end"/.test(line.toString("latin1", 0, 96));
}

/** The line of an entry under another number. */
export function renumber(line: Buffer, seq: number): Buffer {
  return Buffer.from(line.toString("utf8").replace(/^\{"seq":\d+,/, `{"seq":${seq},`));
}
