import { check, libc } from "./libc.ts";

const closeOnExec = 0o2000000;

/** Both ends of a new pipe, as descriptors that programs have only where they are given them (pipe2(2)). */
export function createPipe(): { read: number; write: number } {
  const ends = Buffer.alloc(8);
  check("pipe2", libc.pipe2(ends, closeOnExec));
  return { read: ends.readInt32LE(0), write: ends.readInt32LE(4) };
}
