import type { FileEntry, Listing } from "@alcove/contract/api/workspace";
import { expect, test } from "vitest";
import { treeRows } from "./tree-rows.ts";

function entry(name: string, kind: FileEntry["kind"] = "file"): FileEntry {
  return { name, kind, size: 1, modifiedAt: "2026-01-01T00:00:00Z", mode: 0o644 };
}
function listing(path: string, items: FileEntry[], truncated = false): Listing {
  return { path, items, truncated };
}

test("folders stand before files, numbers in names count as numbers", () => {
  const rows = treeRows(
    "p",
    new Set(),
    new Map([["p", listing("p", [entry("b10.md"), entry("b9.md"), entry("z", "folder")])]]),
  );
  expect(rows.map((row) => row.name)).toEqual(["z", "b9.md", "b10.md"]);
});

test("an open folder is followed by what is in it, one step deeper", () => {
  const listings = new Map([
    ["p", listing("p", [entry("in", "folder"), entry("a.md")])],
    ["p/in", listing("p/in", [entry("c.md")])],
  ]);
  expect(treeRows("p", new Set(["p/in"]), listings).map((row) => [row.path, row.depth])).toEqual([
    ["p/in", 0],
    ["p/in/c.md", 1],
    ["p/a.md", 0],
  ]);
});

test("an empty folder, a failed one and a cut list say so", () => {
  const rows = treeRows(
    "p",
    new Set(["p/a", "p/b"]),
    new Map<string, Listing | "failed">([
      ["p", listing("p", [entry("a", "folder"), entry("b", "folder")], true)],
      ["p/a", listing("p/a", [])],
      ["p/b", "failed"],
    ]),
  );
  expect(rows.filter((row) => row.kind === "note").map((row) => row.name)).toEqual([
    "Empty",
    "This folder cannot be read",
    "More files than are listed here",
  ]);
});
