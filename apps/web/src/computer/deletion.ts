import { formatMoment } from "../format/format.ts";

/** A deletion that is nearer than this, in ms, is asked about before it is set. */
const soonMs = 86_400_000;

/** When a workspace is deleted for its age: a moment in ms since 1970, or null for never. */
export function deletionAt(createdAt: string, deleteAfterMs: number | null | undefined): number | null {
  return typeof deleteAfterMs === "number" ? Date.parse(createdAt) + deleteAfterMs : null;
}

export function isSoon(deletion: number, now: number): boolean {
  return deletion - now <= soonMs;
}

/** `on Tue 4 Aug 2026 at 10:42`, or `at once` when that is over. */
export function deletionWords(deletion: number, now: number): string {
  return deletion <= now ? "at once" : `on ${formatMoment(deletion)}`;
}
