/** A host that a box asked for in vain is told once in this time, in ms: the control plane folds what is left. */
const foldMs = 10_000;
const minuteMs = 60_000;
/** However many hosts a box asks for. */
const mostPerMinute = 60;

export type Denial = { host: string; port: number | null; canAllow: boolean };

/** Tells of a box's denials, in bounds that no box can exceed. */
export function createDenials(report: (denial: Denial) => void, now: () => number = Date.now) {
  const told = new Map<string, number>();
  let minute = { since: 0, count: 0 };
  return (denial: Denial): void => {
    const at = now();
    const key = `${denial.host} ${denial.port}`;
    if (at - (told.get(key) ?? -foldMs) < foldMs) return;
    if (at - minute.since >= minuteMs) minute = { since: at, count: 0 };
    if (minute.count >= mostPerMinute) return;
    minute.count += 1;
    // Every entry was counted against the minute, so that few are ever here.
    for (const [old, since] of told) if (at - since >= foldMs) told.delete(old);
    told.set(key, at);
    report(denial);
  };
}
