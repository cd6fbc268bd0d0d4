/** Columns of equal width, two spaces apart, the head in capitals; nothing is cut. */
export function formatTable(head: string[], rows: string[][]): string {
  const all = [head.map((cell) => cell.toUpperCase()), ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** The bytes in the largest unit that keeps a digit before the point: `1.4 MB`, with powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** Time since then in its largest unit: `3 min`. */
export function formatAge(then: string, now: Date): string {
  const seconds = Math.max(0, (now.getTime() - new Date(then).getTime()) / 1000);
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Control characters made visible, so that text from a workspace cannot drive the terminal. Newlines and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => {
    if (character === "\n" || character === "\t") return character;
    return character === "\r" ? "" : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
