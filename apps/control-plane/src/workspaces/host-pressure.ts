import type { Finding, HostLoad } from "@alcove/contract/api/account";
import { CodedError } from "@alcove/contract/errors";
import type { Log } from "../log/log.ts";

const mib = 2 ** 20;
/** How old the host's answer may be, in milliseconds: for who asks again and again, and for who waits for a start. */
const freshMs = 1_000;
const freshForStartMs = 5_000;

/** `tight`: idle boxes are put to sleep; `full`: no new ones are started either. */
export type Pressure = "fine" | "tight" | "full";

/** What is left of each. Fractions with a floor, so that it holds for a machine of one GiB and one of a hundred. */
function pressures({ memoryAvailableBytes, memoryTotalBytes, diskFreeBytes, diskTotalBytes }: HostLoad) {
  const memory = (share: number, floor: number) => memoryAvailableBytes < Math.max(memoryTotalBytes * share, floor);
  const disk = (share: number, floor: number) =>
    diskFreeBytes < Math.min(Math.max(diskTotalBytes * share, floor), diskTotalBytes / 4);
  const level = (full: boolean, tight: boolean): Pressure => (full ? "full" : tight ? "tight" : "fine");
  return {
    memory: level(memory(0.04, 128 * mib), memory(0.08, 256 * mib)),
    disk: level(disk(0.02, 512 * mib), disk(0.04, 1_024 * mib)),
  };
}

/** What the load means for boxes: the worse of memory and disk. */
export function pressureOf(load: HostLoad): Pressure {
  const { memory, disk } = pressures(load);
  if (memory === "full" || disk === "full") return "full";
  return memory === "tight" || disk === "tight" ? "tight" : "fine";
}

const levels = { fine: "ok", tight: "missing", full: "broken" } as const;
const effects = { fine: "", tight: ": idle workspaces are put to sleep", full: ": no workspace can be started" };

/** What `alcove doctor` says about the room that is left, with the command that shows what takes it. */
export function roomFindings(load: HostLoad, dataDirectory: string): Finding[] {
  const { memory, disk } = pressures(load);
  const left = (free: number, total: number) => `${inGib(free)} of ${inGib(total)} GiB left`;
  return [
    {
      id: "memory",
      level: levels[memory],
      title: "There is memory for workspaces",
      detail: `Memory: ${left(load.memoryAvailableBytes, load.memoryTotalBytes)}${effects[memory]}.`,
      remedy: memory === "fine" ? null : "ps -eo rss,args --sort=-rss | head",
    },
    {
      id: "disk",
      level: levels[disk],
      title: "There is room on the disk of the data directory",
      detail: `Disk: ${left(load.diskFreeBytes, load.diskTotalBytes)}${effects[disk]}.`,
      remedy: disk === "fine" ? null : `du -xh --max-depth=2 ${dataDirectory} | sort -h | tail`,
    },
  ];
}

const inGib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

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
