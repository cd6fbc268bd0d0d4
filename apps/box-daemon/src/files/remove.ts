import { fstatSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { CodedError } from "@alcove/contract/errors";
import { renameWithoutReplacing } from "../system/libc.ts";
import { fileError } from "./file-error.ts";
import { showPath, type WorkspacePath } from "./path.ts";
import { at, walk } from "./walk.ts";

/** Deletes a file, a link (not what it leads to) or a folder. Gives `folder_not_empty`, `file_forbidden` and what `walk` gives. */
export async function removePath(root: string, path: WorkspacePath, recursive: boolean): Promise<void> {
  const place = walk(root, path, { followLast: false });
  try {
    if (place.folder === null) throw new CodedError("path_invalid", "The workspace's own folder cannot be deleted");
    if (place.fd === null) throw new CodedError("file_not_found", `There is no "${showPath(path)}"`);
    if (!fstatSync(place.fd).isDirectory()) unlinkSync(at(place.folder, place.name));
    else if (recursive) await removeTree(place.folder, place.name);
    else rmdirSync(at(place.folder, place.name));
  } catch (error) {
    throw fileError(error, path);
  } finally {
    place.close();
  }
}

/** Takes the folder away under its name at once, then deletes it with `rm`, which never follows a link and copes with any depth. */
async function removeTree(folder: number, name: Buffer): Promise<void> {
  const trash = `.alcove-${crypto.randomUUID()}`;
  renameSync(at(folder, name), at(folder, Buffer.from(trash)));
  const child = Bun.spawn(["rm", "-rf", "--", trash], {
    cwd: `/proc/${process.pid}/fd/${folder}`,
    stdio: ["ignore", "ignore", "ignore"],
  });
  if ((await child.exited) === 0) return;
  renameSync(at(folder, Buffer.from(trash)), at(folder, name));
  throw new CodedError("file_forbidden", "A part of the folder cannot be deleted");
}

/** Moves or renames. Gives `file_exists` unless `replace`, `path_invalid` for a folder into itself, and what `walk` gives. */
export function movePath(root: string, from: WorkspacePath, to: WorkspacePath, replace: boolean): void {
  const source = walk(root, from, { followLast: false });
  try {
    if (source.fd === null) throw new CodedError("file_not_found", `There is no "${showPath(from)}"`);
    const target = walk(root, to, { followLast: false });
    try {
      if (source.folder === null || target.folder === null)
        throw new CodedError("path_invalid", "The workspace's own folder cannot be moved");
      if (replace) renameSync(at(source.folder, source.name), at(target.folder, target.name));
      else renameWithoutReplacing(source.folder, source.name, target.folder, target.name);
    } finally {
      target.close();
    }
  } catch (error) {
    throw fileError(error, to);
  } finally {
    source.close();
  }
}
