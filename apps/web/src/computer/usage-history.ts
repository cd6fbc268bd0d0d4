import type { Usage } from "@alcove/contract/api/workspace";

/** Figures at one moment; network in bytes a second. */
export interface UsagePoint {
  at: number;
  cpuPercent: number | null;
  memoryBytes: number | null;
  diskBytes: number | null;
  inPerSecond: number | null;
  outPerSecond: number | null;
  /** What the counters of the network said, to tell the next rate. */
  counted: { in: number | null; out: number | null };
}

/** Two minutes when figures come every two seconds. */
const longest = 60;
/** Figures further apart than this do not belong to one line. */
const gapMs = 60_000;

/** The history with the newest figures; the same figures twice are one point, and a long gap begins anew. */
export function withUsage(history: readonly UsagePoint[], usage: Usage): readonly UsagePoint[] {
  const at = Date.parse(usage.at);
  const last = history.at(-1);
  if (last && at <= last.at) return history;
  const recent = last && at - last.at <= gapMs ? history.slice(1 - longest) : [];
  const seconds = last ? (at - last.at) / 1000 : 0;
  const counted = { in: usage.networkInBytes, out: usage.networkOutBytes };
  const point = {
    at,
    cpuPercent: usage.cpuPercent,
    memoryBytes: usage.memoryBytes,
    diskBytes: usage.diskBytes,
    inPerSecond: rate(last?.counted.in, counted.in, seconds),
    outPerSecond: rate(last?.counted.out, counted.out, seconds),
    counted,
  };
  return [...recent, point];
}

/** Bytes a second between two readings; a counter that went back belongs to a new box. */
function rate(before: number | null | undefined, now: number | null, seconds: number): number | null {
  if (before == null || now === null || seconds <= 0) return null;
  return Math.max(0, (now < before ? now : now - before) / seconds);
}
