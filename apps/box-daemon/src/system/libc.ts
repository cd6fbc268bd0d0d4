import { constants } from "node:os";
import { dlopen, read } from "bun:ffi";

const { symbols } = dlopen("libc.so.6", {
  flock: { args: ["i32", "i32"], returns: "i32" },
  fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
  renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
  readlinkat: { args: ["i32", "ptr", "ptr", "usize"], returns: "i64" },
  prlimit: { args: ["i32", "i32", "ptr", "ptr"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
});

function lastError(): string {
  const location = symbols.__errno_location();
  const number = location === null ? null : read.i32(location);
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? "EIO";
}

const lockExclusive = 2;
const lockNonBlocking = 4;

/** Takes the exclusive lock of an open file; false when another process has it. The lock ends with the last descriptor of this opening. */
export function tryLock(fd: number): boolean {
  return symbols.flock(fd, lockExclusive | lockNonBlocking) === 0;
}

const keepSize = 1;
const punchHole = 2;

/** Gives the file's first `length` bytes back to the disk; offsets of what follows stay as they are. */
export function discardHead(fd: number, length: number): void {
  symbols.fallocate(fd, keepSize | punchHole, 0, length);
}

const noReplace = 1;

/**
 * Renames between two open folders and refuses to replace what is there. The error has Node's form: a `code` such as `EEXIST`.
 */
export function renameWithoutReplacing(fromFolder: number, from: Buffer, toFolder: number, to: Buffer): void {
  const zero = Buffer.from([0]);
  const result = symbols.renameat2(
    fromFolder,
    Buffer.concat([from, zero]),
    toFolder,
    Buffer.concat([to, zero]),
    noReplace,
  );
  if (result !== 0) {
    const code = lastError();
    throw Object.assign(new Error(`${code}: cannot rename`), { code });
  }
}

const longestLink = 4096;

/** The target of a link that was itself opened with O_PATH and O_NOFOLLOW: unlike its name, the descriptor cannot be swapped. */
export function readOpenLink(fd: number): Buffer {
  const target = Buffer.alloc(longestLink);
  const length = Number(symbols.readlinkat(fd, Buffer.from([0]), target, longestLink));
  if (length < 0) throw Object.assign(new Error("Cannot read a link"), { code: "EINVAL" });
  return target.subarray(0, length);
}

/** RLIMIT_NPROC, the same number on x86_64 and arm64. */
const processLimit = 6;

/** How many processes and threads this user may have, by this process's own limit; null when there is none. */
export function ownProcessLimit(): number | null {
  const limits = new BigUint64Array(2);
  if (symbols.prlimit(0, processLimit, null, limits) !== 0) return null;
  const soft = limits[0] ?? 0n;
  return soft < 2n ** 32n ? Number(soft) : null;
}

/** Lowers this process's own soft limit of processes and threads, which is what those that it starts have; gives what restores it. */
export function setOwnProcessLimit(limit: number): () => void {
  const before = new BigUint64Array(2);
  symbols.prlimit(0, processLimit, null, before);
  symbols.prlimit(0, processLimit, BigUint64Array.of(BigInt(limit), before[1] ?? 0n), null);
  return () => void symbols.prlimit(0, processLimit, before, null);
}

/** Lowers another process's limit of processes and threads; nothing happens when it has ended. */
export function setProcessLimit(pid: number, limit: number): void {
  symbols.prlimit(pid, processLimit, BigUint64Array.of(BigInt(limit), BigInt(limit)), null);
}
