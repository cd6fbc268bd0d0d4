import type { HostLoad } from "@alcove/contract/api/account";
import { CodedError } from "@alcove/contract/errors";
import type { Log } from "../log/log.ts";

const mib = 2 ** 20;
/** How old the host's answer may be, in milliseconds: for who asks again and again, and for who waits for a start. */
const freshMs = 1_000;
const freshForStartMs = 5_000;

/** `tight`: idle boxes are put to sleep; `full`: no new ones are started either. */
export type Pressure = "fine" | "tight" | "full";

/** What the load means. Fractions with a floor, so that it holds for a machine of one GiB and one of a hundred. */
export function pressureOf({
  memoryAvailableBytes,
  memoryTotalBytes,
  diskFreeBytes,
  diskTotalBytes,
}: HostLoad): Pressure {
  const below = (memory: number, memoryFloor: number, disk: number, diskFloor: number) =>
    memoryAvailableBytes < Math.max(memoryTotalBytes * memory, memoryFloor) ||
    diskFreeBytes < Math.min(Math.max(diskTotalBytes * disk, diskFloor), diskTotalBytes / 4);
  if (below(0.04, 128 * mib, 0.02, 512 * mib)) return "full";
  if (below(0.08, 256 * mib, 0.04, 1_024 * mib)) return "tight";
  return "fine";
}

export interface HostPressure {
  state(signal: AbortSignal): Promise<Pressure>;
  /** Gives `host_full` when no box may be started. */
  requireRoom(signal: AbortSignal): Promise<void>;
}

export function createHostPressure({
  load,
  log,
  now = Date.now,
}: {
  load: (signal: AbortSignal) => Promise<HostLoad>;
  log: Log;
  now?: () => number;
}): HostPressure {
  let known: { at: number; load: HostLoad } | undefined;
  const read = async (oldestMs: number, signal: AbortSignal): Promise<HostLoad | undefined> => {
    if (known && now() - known.at < oldestMs) return known.load;
    try {
      known = { at: now(), load: await load(signal) };
    } catch (error) {
      log.debug({ err: error }, "the host's load is not known");
      return undefined;
    }
    return known.load;
  };
  return {
    async state(signal) {
      const current = await read(freshMs, signal);
      return current ? pressureOf(current) : "fine";
    },
    async requireRoom(signal) {
      const current = await read(freshForStartMs, signal);
      if (!current || pressureOf(current) !== "full") return;
      const free = (bytes: number) => `${Math.round(bytes / mib)} MiB`;
      throw new CodedError(
        "host_full",
        `Cannot start one more workspace: the server has ${free(current.memoryAvailableBytes)} of memory and ${free(current.diskFreeBytes)} of disk left`,
      );
    },
  };
}
