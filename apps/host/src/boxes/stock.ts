import { setTimeout as sleep } from "node:timers/promises";
import { logLine } from "../log.ts";

const lookEveryMs = 250;
/** After the last taking, before the next thing is made: making one takes the processor from those who have just got theirs. */
const quietMs = 400;
const failurePauseMs = 30_000;

/** When something was taken last, from whichever stock that knows it. */
export type LastTaking = { at: number };

export interface Stock<T> {
  /** True when there is one to take. */
  has(): boolean;
  /** The one that is ready for longest of those that fit; undefined when there is none. */
  take(fits?: (one: T) => boolean): T | undefined;
  /** Keeps it full until the signal aborts. */
  keep(signal: AbortSignal): Promise<void>;
  /** Ends all that nobody has taken. */
  clear(): Promise<void>;
}

/** Things made ahead, one after the other, and none while `hasRoom` says no. Those that are outdated are ended and made again. */
export function createStock<T>(options: {
  /** What they are, for the log. */
  what: string;
  wanted: number;
  lastTaking: LastTaking;
  /** Leaves nothing when it fails; null when it is of no use after all. */
  make: () => Promise<T | null>;
  end: (one: T) => Promise<void>;
  isOutdated: (one: T) => boolean;
  hasRoom: () => Promise<boolean>;
}): Stock<T> {
  const { what, wanted, lastTaking, make, end, isOutdated, hasRoom } = options;
  const ready: T[] = [];
  const isQuiet = (): boolean => ready.length === 0 || performance.now() - lastTaking.at > quietMs;

  /** Makes or ends one, and gives the pause until the next look. */
  const look = async (): Promise<number> => {
    const outdated = ready.findIndex(isOutdated);
    const [old] = outdated < 0 ? [] : ready.splice(outdated, 1);
    if (old !== undefined) await end(old);
    else if (ready.length >= wanted) return lookEveryMs * 4;
    else if (isQuiet() && (await hasRoom())) {
      const made = await make();
      if (made !== null) ready.push(made);
    }
    return lookEveryMs;
  };

  return {
    has: () => ready.length > 0,
    take(fits = () => true) {
      lastTaking.at = performance.now();
      const index = ready.findIndex(fits);
      return index < 0 ? undefined : ready.splice(index, 1)[0];
    },
    async keep(signal) {
      while (wanted > 0 && !signal.aborted) {
        const pause = await look().catch((error: unknown) => {
          logLine("warn", `${what} could not be made ahead`, { error });
          return failurePauseMs;
        });
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    },
    async clear() {
      for (const one of ready.splice(0)) await end(one);
    },
  };
}
