import type { Lifetime } from "@alcove/contract/api/lifetime";
import type { BoxStateName } from "@alcove/contract/api/workspace";

/** When a workspace rests if it says nothing itself; milliseconds, null is never. */
export interface RestDefaults {
  readonly freezeAfterMs: number | null;
  readonly stopAfterMs: number | null;
}

export interface Restable {
  readonly box: BoxStateName;
  readonly lifetime: Lifetime;
  readonly createdAt: Date;
  /** The last moment at which work was in flight. */
  readonly activeAt: Date;
}

export type Rest = "stay" | "freeze" | "stop" | "delete";

/** What is due for a workspace with no work in flight. */
export function dueRest({ box, lifetime, createdAt, activeAt }: Restable, defaults: RestDefaults, now: number): Rest {
  const { deleteAfterMs = null, keepAlive = false } = lifetime;
  const { freezeAfterMs = defaults.freezeAfterMs, stopAfterMs = defaults.stopAfterMs } = lifetime;
  if (deleteAfterMs !== null && now - createdAt.getTime() >= deleteAfterMs) return "delete";
  if (keepAlive || (box !== "running" && box !== "frozen")) return "stay";
  const idleMs = now - activeAt.getTime();
  if (stopAfterMs !== null && idleMs >= stopAfterMs) return "stop";
  if (box === "running" && freezeAfterMs !== null && idleMs >= freezeAfterMs) return "freeze";
  return "stay";
}

const firstRestartMs = 10_000;
const longestRestartMs = 600_000;
/** Deaths in a row after which it is left to people. */
const mostDeaths = 8;

/** Milliseconds until a box that ended by itself, so often in a row, is started again: at once, then later and later; null when it is not. */
export function restartDelayMs(deaths: number): number | null {
  if (deaths > mostDeaths) return null;
  return deaths <= 1 ? 0 : Math.min(longestRestartMs, firstRestartMs * 2 ** (deaths - 2));
}

/** "1 minute", "90 seconds", "2 hours": for sentences. */
export function inWords(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  const [count, unit] =
    seconds % 3_600 === 0 && seconds > 0
      ? [seconds / 3_600, "hour"]
      : seconds % 60 === 0 && seconds > 0
        ? [seconds / 60, "minute"]
        : [seconds, "second"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
