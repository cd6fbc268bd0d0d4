import { closeSync, constants, fstatSync, mkdirSync, openSync } from "node:fs";
import { CodedError } from "@alcove/contract/errors";
import { readOpenLink } from "../system/libc.ts";
import { fileError, systemCode } from "./file-error.ts";
import { isDots, splitNames, type WorkspacePath } from "./path.ts";

/**
 * Resolves a path one name at a time, each opened relative to the folder before it and never through a link, so that nobody who swaps a name for a
 * link in the meantime can lead the walk out of the workspace. Links are read and walked by the same rules. What is found is used through its
 * descriptor only.
 */
export interface Place {
  /** Descriptor of the folder that holds it; null for the workspace's own folder. */
  readonly folder: number | null;
  readonly name: Buffer;
  /** Descriptor (O_PATH) of the thing itself; null when nothing is there yet. */
  readonly fd: number | null;
  close(): void;
}

export interface WalkOptions {
  /** Whether a link at the end of the path is followed. Links before it always are, as long as they stay inside. */
  readonly followLast: boolean;
  /** Makes the folders that are missing on the way. */
  readonly makeParents?: boolean;
}

const oPath = 0o10_000_000;
const linkLimit = 40;

/** The path of a name inside an open folder; the kernel resolves it from the descriptor. */
export function at(folder: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), name]);
}

/** The path of an open descriptor itself. */
export function self(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Walks to the path. Gives `path_outside`, `path_invalid`, `file_not_found`, `not_a_folder`, `file_forbidden`. */
export function walk(root: string, path: WorkspacePath, options: WalkOptions): Place {
  const stack: { fd: number; name: Buffer }[] = [];
  const closeFrom = (length: number) => {
    for (const entry of stack.splice(length)) closeSync(entry.fd);
  };
  try {
    stack.push({ fd: openSync(root, oPath | constants.O_DIRECTORY), name: Buffer.alloc(0) });
    const ahead = [...path];
    let links = 0;
    while (true) {
      const name = ahead.shift();
      const top = stack.at(-1);
      if (top === undefined) throw new Error("The walk has left its root");
      if (name === undefined) return placeOf(stack, top.fd, top.name);
      if (isDots(name, 2)) {
        if (stack.length === 1) throw new CodedError("path_outside");
        closeFrom(stack.length - 1);
        continue;
      }
      const last = ahead.length === 0;
      const fd = openName(top.fd, name, { mayMiss: last, make: options.makeParents === true && !last });
      if (fd === null) return { folder: top.fd, name, fd, close: () => closeFrom(0) };
      stack.push({ fd, name });
      const stat = fstatSync(fd);
      if (stat.isSymbolicLink() && (!last || options.followLast)) {
        links += 1;
        if (links > linkLimit) throw new CodedError("path_invalid", "The path goes through too many links");
        const target = readOpenLink(fd);
        closeFrom(stack.length - 1);
        const inside = insideRoot(root, target);
        if (target[0] === 0x2f) closeFrom(1);
        ahead.unshift(...splitNames(inside));
        continue;
      }
      if (!last && !stat.isDirectory()) throw new CodedError("not_a_folder");
    }
  } catch (error) {
    closeFrom(0);
    throw fileError(error, path);
  }
}

function placeOf(stack: { fd: number; name: Buffer }[], fd: number, name: Buffer): Place {
  const close = () => {
    for (const entry of stack.splice(0)) closeSync(entry.fd);
  };
  return { folder: stack.at(-2)?.fd ?? null, name, fd, close };
}

function openName(folder: number, name: Buffer, options: { mayMiss: boolean; make: boolean }): number | null {
  const open = () => openSync(at(folder, name), oPath | constants.O_NOFOLLOW);
  try {
    return open();
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || (!options.mayMiss && !options.make)) throw error;
    if (!options.make) return null;
    mkdirSync(at(folder, name), 0o755);
    return open();
  }
}

/** A link's target as a path from where the link stands, or from the root when it is absolute. */
function insideRoot(root: string, target: Buffer): Buffer {
  if (target[0] !== 0x2f) return target;
  const prefix = Buffer.from(root.endsWith("/") ? root : `${root}/`);
  if (target.equals(Buffer.from(root))) return Buffer.alloc(0);
  if (!target.subarray(0, prefix.length).equals(prefix))
    throw new CodedError("path_outside", "The path goes through a link that leaves the workspace");
  return target.subarray(prefix.length);
}

/** Uses what is at the path and closes it again. Gives what `walk` gives, `file_not_found` when nothing is there, `not_a_folder` and `is_folder`. */
export function withResolved<T>(root: string, path: WorkspacePath, kind: "folder" | "any", use: (fd: number) => T): T {
  const place = walk(root, path, { followLast: true });
  try {
    if (place.fd === null) throw new CodedError("file_not_found");
    if (kind === "folder" && !fstatSync(place.fd).isDirectory()) throw new CodedError("not_a_folder");
    return use(place.fd);
  } catch (error) {
    throw fileError(error, path);
  } finally {
    place.close();
  }
}
