import { closeSync, readSync } from "node:fs";
import { check, cString, libc } from "./libc.ts";

const closeOnExec = 1;
const longestRead = 8_192;

/** A file in memory that a program is given as its output (memfd_create(2)): threads that may not read from pipes use it; see serve-thread.ts. */
export interface MemoryFile extends Disposable {
  readonly descriptor: number;
  /** What is in it, at most 8 KiB. */
  text(): string;
}

export function createMemoryFile(): MemoryFile {
  const descriptor = check("memfd_create", libc.memfd_create(cString("text"), closeOnExec));
  return {
    descriptor,
    text() {
      const buffer = Buffer.alloc(longestRead);
      return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, longestRead, 0));
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}
