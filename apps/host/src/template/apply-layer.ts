import { chmodSync, closeSync, fchmodSync, fchownSync, futimesSync, lchownSync, linkSync, mkdirSync } from "node:fs";
import { rmSync, symlinkSync } from "node:fs";
import type { ReadEntry } from "tar";
import { mappedIds } from "../boxes/id-range.ts";
import { inside, namesIn, openInRoot, splitPath, type Opened } from "../kernel/beneath.ts";
import { SystemCallError } from "../kernel/libc.ts";
import { invalid, readEntries } from "./archive-entries.ts";
import { createFileAt, lstatAt, openFolderInRoot, writeAll } from "./root-files.ts";

/** Counts down what may still be unpacked, over all layers. */
export type Budget = { bytes: number };

const whiteout = ".wh.";
const opaque = ".wh..wh..opq";
/** What nobody has inside a box. */
const nobody = 65_534;

/**
 * Unpacks a tar over the tree. A layer of an image also takes away (OCI image-spec, layer.md, "Whiteouts"). `owner` is added to all ids. Devices below /dev, pipes and
 * sockets are left out, a box has its own. Codes: `template_invalid`, `too_large`.
 */
export async function applyLayer(options: {
  root: Opened;
  archive: string;
  owner: number;
  isLayer: boolean;
  budget: Budget;
  signal: AbortSignal;
}): Promise<void> {
  const { root, archive, owner, isLayer, budget, signal } = options;
  /** Of this layer: an opaque folder hides only what is below it. */
  const added = new Set<string>();
  /** A folder's time and mode are set when nothing is put into it any more. */
  const folders = new Map<string, ReadEntry>();
  const idOnDisk = (id: number | undefined): number => owner + (id === undefined || id >= mappedIds ? nobody : id);

  const apply = (entry: ReadEntry): void => {
    const path = cleanPath(entry.path);
    const { folder, name } = splitPath(path);
    const kind = kindOf(entry);
    if (path === "") {
      if (kind !== "folder") throw invalid("its top is not a folder");
      folders.set("", entry);
      return;
    }
    if (kind === "none") {
      if (!path.startsWith("dev/") && entry.type !== "FIFO") throw invalid(`"${entry.path}" is a device`);
      return;
    }
    using parent = openFolderInRoot(root, folder, owner);
    if (isLayer && name.startsWith(whiteout)) return takeAway(parent, folder, name, added);
    if (isLayer) for (let above = path; above !== ""; above = splitPath(above).folder) added.add(above);
    const place = inside(parent, name);
    const there = lstatAt(place);
    budget.bytes -= (kind === "file" ? entry.size : 0) + 512;
    if (budget.bytes < 0) throw invalid("it is larger than a root file system may be");
    switch (kind) {
      case "folder":
        if (there && !there.isDirectory()) rmSync(place);
        if (!there?.isDirectory()) mkdirSync(place, { mode: 0o755 });
        lchownSync(place, idOnDisk(entry.uid), idOnDisk(entry.gid));
        folders.set(path, entry);
        return;
      case "link":
        if (there) rmSync(place, { recursive: true });
        symlinkSync(entry.linkpath ?? "", place);
        lchownSync(place, idOnDisk(entry.uid), idOnDisk(entry.gid));
        return;
      case "hard link": {
        const target = splitPath(cleanPath(entry.linkpath ?? ""));
        if (target.name === "") throw invalid(`"${entry.path}" is a link to nothing`);
        using other = openInRoot(root, target.folder);
        const existing = inside(other, target.name);
        if (!lstatAt(existing)?.isFile() && !lstatAt(existing)?.isSymbolicLink())
          throw invalid(`"${entry.path}" is a link to "${entry.linkpath}", which is not a file in it`);
        if (there && there.ino === lstatAt(existing)?.ino) return;
        if (there) rmSync(place, { recursive: true });
        linkSync(existing, place);
        return;
      }
      case "file":
        return receiveFile(entry, createFileAt(place));
    }
  };

  /** The file whose bytes come; the archive may break off in the middle of it. */
  let half: number | undefined;
  const receiveFile = (entry: ReadEntry, file: number): void => {
    half = file;
    entry.on("data", (chunk: Buffer) => writeAll(file, chunk));
    entry.once("end", () => {
      fchownSync(file, idOnDisk(entry.uid), idOnDisk(entry.gid));
      fchmodSync(file, (entry.mode ?? 0o644) & 0o7777);
      const time = entry.mtime ?? new Date(0);
      futimesSync(file, time, time);
      closeSync(file);
      half = undefined;
    });
  };

  const hear = (entry: ReadEntry): "next" => {
    try {
      apply(entry);
    } catch (error) {
      if (!(error instanceof SystemCallError) && !isPlaceError(error)) throw error;
      throw invalid(`"${entry.path}" cannot be put where it belongs (${error.code})`, error);
    }
    return "next";
  };
  try {
    await readEntries(archive, hear, signal);
  } finally {
    if (half !== undefined) closeSync(half);
  }
  for (const [path, entry] of folders) {
    const { folder, name } = splitPath(path);
    using parent = openFolderInRoot(root, folder, owner);
    const place = inside(parent, name === "" ? "." : name);
    if (!lstatAt(place)?.isDirectory()) continue;
    chmodSync(place, (entry.mode ?? 0o755) & 0o7777);
  }
}

/** Codes of node that come of the shape of an archive, not of the disk. */
function isPlaceError(error: unknown): error is Error & { code: string } {
  const codes = ["ENOTDIR", "ELOOP", "ENOENT", "EEXIST", "EISDIR", "EINVAL", "ENAMETOOLONG", "EMLINK", "EPERM"];
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}

function takeAway(parent: Opened, folder: string, name: string, added: ReadonlySet<string>): void {
  if (name === opaque) {
    for (const child of namesIn(parent)) {
      const path = folder === "" ? child : `${folder}/${child}`;
      if (!added.has(path)) rmSync(inside(parent, child), { recursive: true, force: true });
    }
    return;
  }
  // Other names of this form are a storage driver's own.
  if (name.startsWith(`${whiteout}${whiteout}`)) return;
  rmSync(inside(parent, name.slice(whiteout.length)), { recursive: true, force: true });
}

/** The path from the tree's top, as bytes; refused when it says that it leads elsewhere. */
function cleanPath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (path.startsWith("/")) throw invalid(`"${path}" is an absolute path`);
  if (parts.includes("..")) throw invalid(`"${path}" leads out of it`);
  if (path.includes("\0")) throw invalid("a name in it has a NUL byte");
  return Buffer.from(parts.join("/"), "utf8").toString("latin1");
}

function kindOf(entry: ReadEntry): "file" | "folder" | "link" | "hard link" | "none" {
  switch (entry.type) {
    case "File":
    case "OldFile":
    case "ContiguousFile":
      return "file";
    case "Directory":
    case "GNUDumpDir":
      return "folder";
    case "SymbolicLink":
      return "link";
    case "Link":
      return "hard link";
    case "CharacterDevice":
    case "BlockDevice":
    case "FIFO":
      return "none";
    default:
      throw invalid(`"${entry.path}" is of a kind that is not known (${entry.type})`);
  }
}
