/** Where a snapshot stands in the picture of all of them: columns count from the left, lines go from row to row. */
export interface GraphRow {
  id: string;
  column: number;
  /** Columns of lines that pass by. */
  passing: number[];
  /** Columns of lines from newer rows that end in this one. */
  joining: number[];
  /** True when a line goes on to an older row. */
  goesOn: boolean;
}

/** The tree of snapshots as rows, newest first: each follows from its parent, and a line of its own starts where somebody went back. */
export function graphOf(nodes: readonly { id: string; parent: string | null }[]): GraphRow[] {
  const known = new Set(nodes.map(({ id }) => id));
  /** The row that the line in each column leads to; null for a free column. */
  const lines: (string | null)[] = [];
  return nodes.map(({ id, parent }) => {
    const joining = lines.flatMap((wanted, column) => (wanted === id ? [column] : []));
    const column = joining[0] ?? freeColumn(lines);
    for (const end of joining) lines[end] = null;
    const passing = lines.flatMap((wanted, other) => (wanted === null ? [] : [other]));
    const goesOn = parent !== null && known.has(parent);
    lines[column] = goesOn ? parent : null;
    return { id, column, passing, joining, goesOn };
  });
}

function freeColumn(lines: readonly (string | null)[]): number {
  const free = lines.indexOf(null);
  return free < 0 ? lines.length : free;
}

/** Columns that the whole picture needs. */
export function widthOf(rows: readonly GraphRow[]): number {
  return Math.max(
    1,
    ...rows.flatMap((row) => [row.column, ...row.passing, ...row.joining].map((column) => column + 1)),
  );
}
