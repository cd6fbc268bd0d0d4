import { constants, readSync, type BigIntStats } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { linkTarget, lookAt, namesIn, openBeneath, openFolder, splitPath, type Opened } from "../kernel/beneath.ts";

export type TreeChange = {
  /** Byte string relative to the tree's top. */
  path: string;
  change: "added" | "modified" | "deleted";
  kind: "file" | "folder" | "link" | "other";
  size: number | null;
};

const pieceBytes = 256 * 1024;
/** So many entries are looked at before other requests get their turn. */
const entriesPerTurn = 512;

/**
 * What differs between two trees, sorted by path: at these paths and below them, or everywhere without them. Two files with equal size, mode and time of
 * change are taken for equal; otherwise their bytes are compared. A changed folder is only listed when it appeared or went.
 */
export async function compareTrees(from: Opened, to: Opened, touched: Iterable<string> | null): Promise<TreeChange[]> {
  const found = new Map<string, TreeChange>();
  const seen = new Set<string>();
  const open = touched === null ? [""] : [...touched];
  let looked = 0;
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (++looked % entriesPerTurn === 0) await nextTurn();
    const before = lookAt(from, path);
    const after = lookAt(to, path);
    const change = path === "" ? null : compareEntries({ from, to, path, before, after });
    if (change !== null) found.set(path, change);
    const isWhole =
      touched === null || before?.isDirectory() !== true || after?.isDirectory() !== true || before.ino !== after.ino;
    if (isWhole)
      for (const name of childNames(from, before, to, after, path)) open.push(path === "" ? name : `${path}/${name}`);
  }
  return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function childNames(
  from: Opened,
  before: BigIntStats | null,
  to: Opened,
  after: BigIntStats | null,
  path: string,
): Set<string> {
  const names = new Set<string>();
  for (const [top, entry] of [
    [from, before],
    [to, after],
  ] as const) {
    if (entry?.isDirectory() !== true) continue;
    using folder = openFolder(top, path);
    for (const name of namesIn(folder)) names.add(name);
  }
  return names;
}

type Pair = { from: Opened; to: Opened; path: string; before: BigIntStats | null; after: BigIntStats | null };

function compareEntries({ from, to, path, before, after }: Pair): TreeChange | null {
  if (before === null && after === null) return null;
  if (after === null) return before === null ? null : { path, change: "deleted", kind: kindOf(before), size: null };
  const change = (word: "added" | "modified"): TreeChange => ({
    path,
    change: word,
    kind: kindOf(after),
    size: after.isFile() ? Number(after.size) : null,
  });
  if (before === null) return change("added");
  return sameEntry({ from, to, path, before, after }) ? null : change("modified");
}

function sameEntry({
  from,
  to,
  path,
  before,
  after,
}: {
  from: Opened;
  to: Opened;
  path: string;
  before: BigIntStats;
  after: BigIntStats;
}): boolean {
  if (kindOf(before) !== kindOf(after)) return false;
  if (before.isDirectory()) return true;
  if (before.isSymbolicLink()) return readLink(from, path) === readLink(to, path);
  if (before.mode !== after.mode || before.size !== after.size) return false;
  if (before.mtimeNs === after.mtimeNs || !before.isFile()) return true;
  return sameBytes(from, to, path);
}

/** True when both trees have the same at the path: content, kind and mode. */
export function samePath(one: Opened, other: Opened, path: string): boolean {
  const before = lookAt(one, path);
  const after = lookAt(other, path);
  if (before === null || after === null) return before === after;
  return sameEntry({ from: one, to: other, path, before, after });
}

function readLink(top: Opened, path: string): string {
  const { folder, name } = splitPath(path);
  using parent = openFolder(top, folder);
  return linkTarget(parent, name);
}

function sameBytes(from: Opened, to: Opened, path: string): boolean {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  using one = openBeneath(from, path, flags);
  using other = openBeneath(to, path, flags);
  const left = Buffer.alloc(pieceBytes);
  const right = Buffer.alloc(pieceBytes);
  for (let position = 0; ;) {
    const size = readSync(one.fd, left, 0, pieceBytes, position);
    if (size !== readSync(other.fd, right, 0, pieceBytes, position)) return false;
    if (size === 0) return true;
    if (!left.subarray(0, size).equals(right.subarray(0, size))) return false;
    position += size;
  }
}

function kindOf(entry: BigIntStats): TreeChange["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}
