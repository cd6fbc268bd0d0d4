import type { Change } from "@alcove/contract/api/workspace";

/** A changed file, or many of them in a folder that nobody reads file by file. */
export type ChangeRow = { type: "file"; change: Change } | { type: "many"; folder: string; count: number };

/** Folders whose files tools write by the thousand. */
const noisy =
  /^(.*?(?:^|\/)(?:node_modules|\.git|\.cache|\.npm|\.venv|venv|__pycache__|target|\.local\/share)(?=\/|$))/;

/** What people would look at, by path; folders as such are left out, and what tools wrote is one row for each place. */
export function changeRows(changes: readonly Change[]): ChangeRow[] {
  const files: ChangeRow[] = [];
  const many = new Map<string, number>();
  for (const change of changes) {
    const folder = noisy.exec(change.path)?.[1];
    if (folder !== undefined) many.set(folder, (many.get(folder) ?? 0) + 1);
    else if (change.kind !== "folder") files.push({ type: "file", change });
  }
  return [
    ...files.toSorted((a, b) => pathOf(a).localeCompare(pathOf(b))),
    ...[...many].map(([folder, count]) => ({ type: "many" as const, folder, count })),
  ];
}

function pathOf(row: ChangeRow): string {
  return row.type === "file" ? row.change.path : row.folder;
}
