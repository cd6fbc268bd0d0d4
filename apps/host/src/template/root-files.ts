import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { inside, openInRoot, openTop, pathOf, splitPath, type Opened } from "../kernel/beneath.ts";
import { SystemCallError } from "../kernel/libc.ts";

/**
 * Files of a root file system that somebody else made: links in it lead where they lead for whoever has it as the root, so nothing outside is ever read or
 * written. Paths are byte strings (`latin1`) without a slash at either end.
 */

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** The folder, made with all above it where it is missing. `owner` is the id on the disk. */
export function openFolderInRoot(root: Opened, path: string, owner: number): Opened {
  try {
    return openInRoot(root, path);
  } catch (error) {
    if (path === "" || !(error instanceof SystemCallError) || error.code !== "ENOENT") throw error;
  }
  const { folder, name } = splitPath(path);
  using parent = openFolderInRoot(root, folder, owner);
  const place = inside(parent, name);
  // A link to what is not there: what is put below it belongs where the link leads.
  if (lstatAt(place)?.isSymbolicLink()) rmSync(place);
  mkdirSync(place, { mode: 0o755 });
  lchownSync(place, owner, owner);
  return openInRoot(root, path);
}

/** What is at the place itself, a link not followed; null when nothing is. */
export function lstatAt(place: Buffer): ReturnType<typeof lstatSync> | null {
  return lstatSync(place, { throwIfNoEntry: false }) ?? null;
}

/** A new file in the place of whatever has the name; its descriptor is the caller's to close. */
export function createFileAt(place: Buffer): number {
  rmSync(place, { recursive: true, force: true });
  return openSync(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

/** Writes all of the bytes. */
export function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

/** Whole files of a tree, by paths from its top. */
export function openRootFiles(top: string, owner: number): RootFiles {
  const root = openTop(top);
  const at = <T>(path: string, work: (place: Buffer) => T): T => {
    const { folder, name } = splitPath(path);
    using parent = openFolderInRoot(root, folder, owner);
    return work(inside(parent, name));
  };
  return {
    root,
    read(path) {
      try {
        using file = openInRoot(root, path);
        return statSync(pathOf(file)).isFile() ? readFileSync(pathOf(file), "utf8") : null;
      } catch (error) {
        if (error instanceof SystemCallError || (error instanceof Error && "code" in error)) return null;
        throw error;
      }
    },
    has(path) {
      try {
        using _ = openInRoot(root, path);
        return true;
      } catch (error) {
        if (error instanceof SystemCallError) return false;
        throw error;
      }
    },
    write: (path, text, mode) =>
      at(path, (place) => {
        const before = lstatAt(place);
        const { uid, gid } = before?.isFile() ? before : { uid: owner, gid: owner };
        const file = createFileAt(place);
        try {
          writeFileSync(file, text);
          fchownSync(file, Number(uid), Number(gid));
          fchmodSync(file, mode);
        } finally {
          closeSync(file);
        }
      }),
    link: (path, target) =>
      at(path, (place) => {
        rmSync(place, { recursive: true, force: true });
        symlinkSync(target, place);
        lchownSync(place, owner, owner);
      }),
    folder(path) {
      openFolderInRoot(root, path, owner)[Symbol.dispose]();
    },
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

export interface RootFiles extends Disposable {
  readonly root: Opened;
  /** The text of a regular file; null when there is none. */
  read(path: string): string | null;
  /** True when the path leads to something in the tree. */
  has(path: string): boolean;
  /** Replaces whatever is there; a file keeps its owner and group. */
  write(path: string, text: string, mode: number): void;
  link(path: string, target: string): void;
  folder(path: string): void;
}
