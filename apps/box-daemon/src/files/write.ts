import {
  closeSync,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { CodedError } from "@alcove/contract/errors";
import { renameWithoutReplacing } from "../system/libc.ts";
import { fileError, systemCode } from "./file-error.ts";
import { showPath, type WorkspacePath } from "./path.ts";
import { etagOf } from "./read.ts";
import { at, walk, type Place } from "./walk.ts";

export interface WriteOptions {
  /** Writes only over the file with this ETag. */
  readonly ifMatch: string | null;
  /** Writes only where nothing is. */
  readonly onlyNew: boolean;
  readonly makeParents: boolean;
}

export interface Written {
  readonly etag: string;
  readonly created: boolean;
}

/**
 * Puts the bytes in place of the file at once: readers see the old or the new content, never a part. The mode of a file that was there stays.
 * Gives `file_changed`, `file_exists`, `is_folder`, `workspace_full` and what `walk` gives.
 */
export async function writeFile(
  root: string,
  path: WorkspacePath,
  body: ReadableStream<Uint8Array> | null,
  options: WriteOptions,
): Promise<Written> {
  const place = walk(root, path, { followLast: true, makeParents: options.makeParents });
  try {
    const { folder } = place;
    if (folder === null) throw new CodedError("is_folder");
    checkBefore(place, path, options);
    const draft = Buffer.from(`.alcove-${crypto.randomUUID()}`);
    const fd = openSync(at(folder, draft), "wx", 0o644);
    try {
      for await (const chunk of body ?? []) writeAll(fd, chunk);
      if (place.fd !== null) fchmodSync(fd, fstatSync(place.fd).mode & 0o7777);
      fdatasyncSync(fd);
      checkBefore(place, path, options);
      if (options.onlyNew) renameWithoutReplacing(folder, draft, folder, place.name);
      else renameSync(at(folder, draft), at(folder, place.name));
      return { etag: etagOf(fstatSync(fd, { bigint: true })), created: place.fd === null };
    } catch (error) {
      unlinkSync(at(folder, draft));
      throw error;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError(error, path);
  } finally {
    place.close();
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written);
}

/** Looks at what is under the name now, not at what was found first: it may have been replaced while the bytes came in. */
function checkBefore(place: Place, path: WorkspacePath, options: WriteOptions): void {
  const stat = place.fd === null ? null : fstatSync(place.fd, { bigint: true });
  if (stat?.isDirectory()) throw new CodedError("is_folder", `"${showPath(path)}" is a folder`);
  if (stat !== null && options.onlyNew) throw new CodedError("file_exists", `"${showPath(path)}" is already there`);
  if (options.ifMatch === null) return;
  const current = currentEtag(place);
  if (current === null || (options.ifMatch !== "*" && options.ifMatch !== current)) {
    throw new CodedError("file_changed", `"${showPath(path)}" was changed by somebody else`);
  }
}

function currentEtag(place: Place): string | null {
  if (place.folder === null) return null;
  const pathOnly = 0o10_000_000 | 0o400_000; /* O_PATH | O_NOFOLLOW */
  try {
    const fd = openSync(at(place.folder, place.name), pathOnly);
    const etag = etagOf(fstatSync(fd, { bigint: true }));
    closeSync(fd);
    return etag;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** Makes a folder; with `makeParents` one that is there already is fine. Gives `file_exists` and what `walk` gives. */
export function makeFolder(root: string, path: WorkspacePath, makeParents: boolean): void {
  const place = walk(root, path, { followLast: true, makeParents });
  try {
    if (place.fd === null && place.folder !== null) mkdirSync(at(place.folder, place.name), 0o755);
    else if (!makeParents || place.fd === null || !fstatSync(place.fd).isDirectory()) {
      throw new CodedError("file_exists", `"${showPath(path)}" is already there`);
    }
  } catch (error) {
    throw fileError(error, path);
  } finally {
    place.close();
  }
}
