import type { FileEntry, Listing } from "@alcove/contract/api/workspace";

export interface TreeRow {
  path: string;
  name: string;
  depth: number;
  kind: FileEntry["kind"] | "note";
  open: boolean;
  size: number;
  /** False for a name that is not UTF-8: the page cannot say it. */
  nameable: boolean;
}

/** The rows of a tree whose open folders were read: folders first, then by name. */
export function treeRows(
  root: string,
  open: ReadonlySet<string>,
  listings: ReadonlyMap<string, Listing | "loading" | "failed">,
): TreeRow[] {
  const rows: TreeRow[] = [];
  const note = (path: string, depth: number, name: string) =>
    rows.push({ path: `${path}/`, name, depth, kind: "note", open: false, size: 0, nameable: false });
  const add = (folder: string, depth: number) => {
    const listing = listings.get(folder);
    if (listing === "loading" || listing === undefined) return;
    if (listing === "failed") return void note(folder, depth, "This folder cannot be read");
    for (const entry of listing.items.toSorted(byKindAndName)) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const opened = entry.kind === "folder" && open.has(path);
      rows.push({
        path,
        name: entry.name,
        depth,
        kind: entry.kind,
        open: opened,
        size: entry.size,
        nameable: entry.encodedName === undefined,
      });
      if (opened) add(path, depth + 1);
    }
    if (listing.items.length === 0 && depth > 0) note(folder, depth, "Empty");
    if (listing.truncated) note(folder, depth, "More files than are listed here");
  };
  add(root, 0);
  return rows;
}

function byKindAndName(a: FileEntry, b: FileEntry): number {
  if (a.kind === "folder" || b.kind === "folder") {
    if (a.kind !== b.kind) return a.kind === "folder" ? -1 : 1;
  }
  return a.name.localeCompare(b.name, "en", { numeric: true });
}
