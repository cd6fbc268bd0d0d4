/** What decides about a snapshot that nobody named. Those that people named are not given here: they stay. */
export interface KeptSnapshot {
  readonly id: string;
  readonly createdAt: Date;
}

export interface Retention {
  /** So many of the newest stay. */
  readonly last: number;
  /** Behind those, the newest of each day (UTC) stays for so many days. */
  readonly days: number;
}

const dayMs = 86_400_000;

/** Ids of the snapshots that need not be kept any longer. `needed` ones always stay and do not count. */
export function expiredSnapshots(
  snapshots: readonly KeptSnapshot[],
  { last, days }: Retention,
  needed: ReadonlySet<string>,
  now: Date,
): string[] {
  const newestFirst = snapshots
    .filter(({ id }) => !needed.has(id))
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  const seenDays = new Set<number>();
  return newestFirst.slice(last).flatMap(({ id, createdAt }) => {
    const day = Math.floor(createdAt.getTime() / dayMs);
    const isYoung = now.getTime() - createdAt.getTime() < days * dayMs;
    if (isYoung && !seenDays.has(day)) {
      seenDays.add(day);
      return [];
    }
    return [id];
  });
}
