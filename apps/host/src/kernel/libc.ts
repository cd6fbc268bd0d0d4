import { dlopen, ptr, read } from "bun:ffi";
import { getSystemErrorName } from "node:util";

const { symbols } = dlopen("libc.so.6", {
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64" },
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  pivot_root: { args: ["ptr", "ptr"], returns: "i32" },
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  fchdir: { args: ["i32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  sethostname: { args: ["ptr", "usize"], returns: "i32" },
  unshare: { args: ["i32"], returns: "i32" },
  execv: { args: ["ptr", "ptr"], returns: "i32" },
  setenv: { args: ["ptr", "ptr", "i32"], returns: "i32" },
  renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
  setfsuid: { args: ["u32"], returns: "i32" },
  setfsgid: { args: ["u32"], returns: "i32" },
  capget: { args: ["ptr", "ptr"], returns: "i32" },
  capset: { args: ["ptr", "ptr"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  memfd_create: { args: ["ptr", "u32"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
});

/** The C library's functions that Bun has no call for. They are synchronous: nothing here may wait for a disk or a network for long. */
export const libc = symbols;

/** An error of a system call, with node's names (`ENOENT`). */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly code: string;
  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** The result of a call, or a SystemCallError when it is negative. Nothing may run between the call and this check, or errno is another's. */
export function check(call: string, result: number | bigint): number {
  const value = Number(result);
  if (value >= 0) return value;
  const location = symbols.__errno_location();
  const errno = location === null ? 0 : read.i32(location, 0);
  throw new SystemCallError(call, getSystemErrorName(-errno));
}

/** A NUL-terminated copy for a C function; the caller keeps it alive during the call. Byte paths are given as `latin1`. */
export function cString(text: string, encoding: "utf8" | "latin1" = "utf8"): Buffer {
  return Buffer.from(`${text}\0`, encoding);
}

/** A raw system call; a Buffer stands for its address. The numbers used here are the same on every architecture (those added since Linux 5.1). */
export function systemCall(name: string, number: number, ...parameters: (number | bigint | Buffer)[]): number {
  const [a, b, c, d, e, f] = Array.from({ length: 6 }, (_, index) => {
    const value = parameters[index] ?? 0;
    return BigInt(Buffer.isBuffer(value) ? ptr(value) : value);
  });
  return check(name, symbols.syscall(BigInt(number), a ?? 0n, b ?? 0n, c ?? 0n, d ?? 0n, e ?? 0n, f ?? 0n));
}
