import {
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  mkdirSync,
  openSync,
  closeSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  type BigIntStats,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { inside, linkTarget, lookAt, namesIn, openFolder, splitPath, type Opened } from "../kernel/beneath.ts";
import { SystemCallError } from "../kernel/libc.ts";
import { samePath, type TreeChange } from "./compare-trees.ts";

type Revert = { changes: TreeChange[]; from: Opened; to: Opened; live: Opened };

/**
 * Gives the live tree back what `from` has at the changed paths, while the box goes on. A path whose live state is no longer that of `to` was changed again and
 * is kept. Every file is replaced in one step; what stands in the way of one path leaves that path alone.
 */
export function revertChanges({ changes, from, to, live }: Revert): { reverted: string[]; kept: string[] } {
  const reverted: string[] = [];
  const kept: string[] = [];
  const attempt = (path: string, work: () => boolean): void => {
    try {
      (work() ? reverted : kept).push(path);
    } catch (error) {
      if (!isOfTree(error)) throw error;
      kept.push(path);
    }
  };
  // What was added goes first, the deepest before its folder, so that a folder can be empty when its turn comes.
  for (const { path } of changes.filter(({ change }) => change === "added").toReversed()) {
    attempt(path, () => (samePath(live, to, path) ? removeEntry(live, path) : lookAt(live, path) === null));
  }
  for (const { path, change } of changes) {
    if (change !== "added")
      attempt(path, () => (samePath(live, to, path) ? putBack(from, live, path) : samePath(live, from, path)));
  }
  return { reverted: reverted.toSorted(), kept: kept.toSorted() };
}

/** False when it is a folder that has something in it. */
function removeEntry(live: Opened, path: string): boolean {
  const entry = lookAt(live, path);
  if (entry === null) return true;
  const { folder, name } = splitPath(path);
  using parent = openFolder(live, folder);
  if (!entry.isDirectory()) {
    unlinkSync(inside(parent, name));
    return true;
  }
  using own = openFolder(live, path);
  if (namesIn(own).length > 0) return false;
  rmdirSync(inside(parent, name));
  return true;
}

function putBack(from: Opened, live: Opened, path: string): boolean {
  const wanted = lookAt(from, path);
  if (wanted === null) return false;
  const { folder, name } = splitPath(path);
  const there = lookAt(live, path);
  if (there?.isDirectory() === true && !wanted.isDirectory() && !removeEntry(live, path)) return false;
  if (there !== null && !there.isDirectory() && wanted.isDirectory()) removeEntry(live, path);
  makeFolders(from, live, folder);
  using target = openFolder(live, folder);
  if (wanted.isDirectory()) {
    makeFolder(target, name, wanted);
    return true;
  }
  using source = openFolder(from, folder);
  if (wanted.isSymbolicLink())
    return replaceBy(target, name, (fresh) => {
      symlinkSync(Buffer.from(linkTarget(source, name), "latin1"), fresh);
      lchownSync(fresh, Number(wanted.uid), Number(wanted.gid));
    });
  // Sockets, pipes and devices are made again by the programs that use them.
  if (!wanted.isFile()) return false;
  return replaceBy(target, name, (fresh) => copyFile(inside(source, name), fresh, wanted));
}

/** Makes the folders on the way that are gone, as they were. */
function makeFolders(from: Opened, live: Opened, path: string): void {
  if (path === "" || lookAt(live, path)?.isDirectory() === true) return;
  const { folder, name } = splitPath(path);
  makeFolders(from, live, folder);
  const wanted = lookAt(from, path);
  if (wanted === null) return;
  using parent = openFolder(live, folder);
  makeFolder(parent, name, wanted);
}

function makeFolder(parent: Opened, name: string, wanted: BigIntStats): void {
  try {
    mkdirSync(inside(parent, name), { mode: 0o700 });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return;
    throw error;
  }
  using own = openFolder(parent, name);
  fchownSync(own.fd, Number(wanted.uid), Number(wanted.gid));
  fchmodSync(own.fd, Number(wanted.mode) & 0o7777);
}

/** Builds the entry under a name of its own and moves it into place. */
function replaceBy(parent: Opened, name: string, make: (fresh: Buffer) => void): true {
  const fresh = inside(parent, `.alcove-undo-${randomBytes(8).toString("hex")}`);
  try {
    make(fresh);
    renameSync(fresh, inside(parent, name));
    return true;
  } catch (error) {
    try {
      unlinkSync(fresh);
    } catch (second) {
      if (!isOfTree(second)) throw second;
    }
    throw error;
  }
}

function copyFile(source: Buffer, fresh: Buffer, wanted: BigIntStats): void {
  copyFileSync(source, fresh, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const file = openSync(fresh, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    fchownSync(file, Number(wanted.uid), Number(wanted.gid));
    fchmodSync(file, Number(wanted.mode) & 0o7777);
    futimesSync(file, Number(wanted.atimeMs) / 1_000, Number(wanted.mtimeMs) / 1_000);
  } finally {
    closeSync(file);
  }
}

/** What a box's own doings can cause at a path; everything else is an error of ours or of the disk. */
function isOfTree(error: unknown): boolean {
  if (!(error instanceof SystemCallError) && !(error instanceof Error && "code" in error)) return false;
  const { code } = error;
  return (
    typeof code === "string" &&
    ["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY", "ELOOP", "EBUSY", "EPERM"].includes(code)
  );
}
