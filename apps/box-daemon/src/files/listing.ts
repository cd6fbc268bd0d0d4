import { lstatSync, readdirSync, type Stats } from "node:fs";
import type { FileEntry, Listing } from "@alcove/contract/api/workspace";
import { at, self } from "./walk.ts";
import { showPath, type WorkspacePath } from "./path.ts";

/** Entries that one listing holds at most. */
const entryLimit = 10_000;

/** The entries of an open folder, ordered by name. */
export function listFolder(fd: number, path: WorkspacePath): Listing {
  const names = readdirSync(self(fd), { encoding: "buffer" }).toSorted(Buffer.compare);
  const items = names.slice(0, entryLimit).flatMap((name) => {
    const entry = describeEntry(fd, name);
    return entry === null ? [] : [entry];
  });
  return { path: showPath(path), items, truncated: names.length > entryLimit };
}

function describeEntry(folder: number, name: Buffer): FileEntry | null {
  let stat: Stats;
  try {
    stat = lstatSync(at(folder, name));
  } catch {
    // Removed since the folder was read.
    return null;
  }
  const text = name.toString("utf8");
  const entry = {
    name: text,
    kind: kindOf(stat),
    size: stat.size,
    modifiedAt: stat.mtime.toISOString(),
    mode: stat.mode & 0o7777,
  };
  return Buffer.from(text).equals(name) ? entry : { ...entry, encodedName: encodeName(name) };
}

function kindOf(stat: Stats): FileEntry["kind"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "folder";
  return stat.isSymbolicLink() ? "link" : "other";
}

function encodeName(name: Buffer): string {
  return [...name].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}
