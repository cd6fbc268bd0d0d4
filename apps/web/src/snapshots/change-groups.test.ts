import type { Change } from "@alcove/contract/api/workspace";
import { expect, test } from "vitest";
import { changeRows } from "./change-groups.ts";

const changed = (path: string, kind: Change["kind"] = "file"): Change => ({ path, kind, change: "added", size: 1 });

test("files are listed by path, folders are not, and what tools wrote is one row for each place", () => {
  const rows = changeRows([
    changed("user/projects/app/node_modules/a/index.js"),
    changed("user/projects/app/node_modules/b/index.js"),
    changed("user/projects/z.md"),
    changed("user/projects/app", "folder"),
    changed("user/projects/a.md"),
    changed("user/home/.cache/x"),
  ]);
  expect(rows.map((row) => (row.type === "file" ? row.change.path : [row.folder, row.count]))).toEqual([
    "user/projects/a.md",
    "user/projects/z.md",
    ["user/projects/app/node_modules", 2],
    ["user/home/.cache", 1],
  ]);
});
