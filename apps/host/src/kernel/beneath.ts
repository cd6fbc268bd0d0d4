import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync, type BigIntStats } from "node:fs";
import { check, cString, libc, SystemCallError, systemCall } from "./libc.ts";

/**
 * Paths inside a tree that a box writes. They are opened from a descriptor of the tree's top, and no link is followed and nothing above is reached, even while
 * the box swaps folders for links (openat2(2)). Paths here are byte strings: each character is one byte of the name (`latin1`).
 */

const pathOnly = 0o10000000;
const closeOnExec = 0o2000000;
const resolve = { noMagicLinks: 0x02, noSymlinks: 0x04, beneath: 0x08, inRoot: 0x10 };
const exchangeFlag = 2;
const atFdcwd = -100;

/** A path by which the host reaches what is open, whatever has happened to its name. */
export function pathOf({ fd }: { fd: number }): string {
  return `/proc/self/fd/${fd}`;
}

/** A descriptor that is closed at the end of the block. */
export type Opened = Disposable & { fd: number };

function opened(fd: number): Opened {
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** The top of a tree, whose own path is the host's and trusted. */
export function openTop(path: string): Opened {
  return opened(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
}

/** Opens a path below the top; gives node's error names, `ELOOP` for a link on the way. */
export function openBeneath(top: Opened, path: string, flags: number): Opened {
  return openAt(top, path, flags, resolve.noMagicLinks | resolve.noSymlinks | resolve.beneath);
}

/** A place in a root file system, whose links lead where they lead for whoever has it as the root: never out of it. */
export function openInRoot(root: Opened, path: string): Opened {
  return openAt(root, path, pathOnly, resolve.noMagicLinks | resolve.inRoot);
}

function openAt(top: Opened, path: string, flags: number, how: number): Opened {
  // struct open_how { u64 flags, mode, resolve }
  const wish = Buffer.alloc(24);
  wish.writeBigUInt64LE(BigInt(flags | closeOnExec), 0);
  wish.writeBigUInt64LE(BigInt(how), 16);
  return opened(systemCall("openat2", 437, top.fd, cString(path === "" ? "." : path, "latin1"), wish, wish.length));
}

/** A folder below the top, good for `inside`. */
export function openFolder(top: Opened, path: string): Opened {
  return openBeneath(top, path, constants.O_RDONLY | constants.O_DIRECTORY);
}

/** The name of an entry of an open folder, for calls of node:fs; the last part must not be followed by the call. */
export function inside(folder: Opened, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${folder.fd}/${name}`, "latin1");
}

/** What is at the path itself, a link not followed; null when nothing is. */
export function lookAt(top: Opened, path: string): BigIntStats | null {
  try {
    using entry = openBeneath(top, path, pathOnly | constants.O_NOFOLLOW);
    return fstatSync(entry.fd, { bigint: true });
  } catch (error) {
    if (error instanceof SystemCallError && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code)) return null;
    throw error;
  }
}

/** Names in the folder, in no order. */
export function namesIn(folder: Opened): string[] {
  return readdirSync(`/proc/self/fd/${folder.fd}`, { encoding: "buffer" }).map((name) =>
    Buffer.from(name).toString("latin1"),
  );
}

/** Where a link leads, as bytes. */
export function linkTarget(folder: Opened, name: string): string {
  return Buffer.from(readlinkSync(inside(folder, name), { encoding: "buffer" })).toString("latin1");
}

/** The folder part and the last part of a path. */
export function splitPath(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf("/");
  return { folder: slash < 0 ? "" : path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Swaps two paths of the host in one step (renameat2(2)). */
export function exchangePaths(one: string, other: string): void {
  check("renameat2", libc.renameat2(atFdcwd, cString(one), atFdcwd, cString(other), exchangeFlag));
}
