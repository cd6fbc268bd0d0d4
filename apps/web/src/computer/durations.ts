const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A time that somebody chose, in words: `5 minutes`, `1 hour`, `30 days`. */
export function durationWords(ms: number): string {
  const units: [number, string][] = [
    [day, "day"],
    [hour, "hour"],
    [minute, "minute"],
    [1000, "second"],
  ];
  const parts: string[] = [];
  let rest = ms;
  for (const [size, word] of units) {
    const count = Math.floor(rest / size);
    if (count === 0) continue;
    rest -= count * size;
    parts.push(`${count} ${word}${count === 1 ? "" : "s"}`);
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? `${ms} ms` : parts.join(" ");
}

/** What `freezeAfterMs`, `stopAfterMs` and `deleteAfterMs` offer. */
export const durationChoices = {
  freeze: [30_000, minute, 5 * minute, 15 * minute, hour],
  stop: [5 * minute, 15 * minute, 30 * minute, hour, 4 * hour, day],
  delete: [day, 7 * day, 30 * day, 90 * day, 365 * day],
};
