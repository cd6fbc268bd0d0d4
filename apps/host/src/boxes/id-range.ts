import { CodedError } from "@alcove/contract/errors";
import { readFileSync } from "node:fs";
import type { Site } from "../site.ts";
import type { BoxRecords } from "./box-record.ts";

/** Ids of each box on this machine. The box maps all but the last, which runs its network process and is nobody, inside and outside. */
export const idsPerBox = 65_536;
export const mappedIds = idsPerBox - 1;

/** systemd's list of ids leaves 1,879,048,192 – 2,147,352,575 to nobody. */
const firstFree = 0x7000_0000;
const lastFree = 0x7ffd_ffff;

type Range = { first: number; count: number };

/** The ranges given to this machine's users in /etc/subuid and /etc/subgid (subuid(5)). */
function readSubordinateRanges(): Range[] {
  return ["/etc/subuid", "/etc/subgid"].flatMap((path) => {
    try {
      return readFileSync(path, "utf8")
        .split("\n")
        .map((line) => line.split(":"))
        .map(([, first, count]) => ({ first: Number(first), count: Number(count) }))
        .filter(({ first, count }) => Number.isSafeInteger(first) && Number.isSafeInteger(count));
    } catch {
      return [];
    }
  });
}

const ranges = Math.floor((lastFree + 1 - firstFree) / idsPerBox);

/**
 * The first range that neither a box nor a user of this machine has, counted from one that the instance's name (hexadecimal) leads to: what the kernel counts by
 * user id, it does not count for another instance's box as well. Code `host_full` when all 4,094 are taken.
 */
export function pickIdRange(instance: string, taken: number[], subordinate: Range[] = readSubordinateRanges()): number {
  const used = new Set(taken);
  const start = Number.parseInt(instance, 16) % ranges;
  for (let count = 0; count < ranges; count += 1) {
    const first = firstFree + ((start + count) % ranges) * idsPerBox;
    const clear = subordinate.every((range) => range.first + range.count <= first || range.first >= first + idsPerBox);
    if (clear && !used.has(first)) return first;
  }
  throw new CodedError("host_full", "Cannot create the workspace: this server has no free range of user ids", {
    hint: "Delete workspaces that are no longer needed.",
  });
}

/** An ordinary user has one range of sub-ids, ids 1 – 65,536 in its own namespace: all its boxes share that. */
export const sharedFirstId = 1;

export interface IdRanges {
  /** The first id of a range that nobody has, kept for the caller until it is let go. Code: `host_full`. */
  take(): number;
  /** Lets a range go that nobody needs, or that a stored record has. */
  release(firstId: number): void;
}

/** The ranges of this data directory's boxes: those that records have, and those of boxes that have no record yet. */
export function createIdRanges(site: Site, records: Pick<BoxRecords, "all">): IdRanges {
  const kept = new Set<number>();
  return {
    take() {
      if (!site.privileged) return sharedFirstId;
      const firstId = pickIdRange(site.instance, [...kept, ...records.all().map((record) => record.firstId)]);
      kept.add(firstId);
      return firstId;
    },
    release: (firstId) => void kept.delete(firstId),
  };
}

/** What is added to a box's user id to get the id that files on the disk carry. With root rights trees hold plain ids and are shifted by their mounts. */
export function diskIdOffset(site: Site): number {
  return site.privileged ? 0 : sharedFirstId;
}
