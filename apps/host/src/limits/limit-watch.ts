import { processesForPrograms } from "@alcove/contract/box/processes";
import type { BoxHappeningBody } from "@alcove/contract/host";
import type { WorkspaceId } from "@alcove/contract/ids";
import type { Limits } from "@alcove/contract/api/workspace";
import type { LimitCounters } from "../cgroups/cgroups.ts";

/** What is looked at of one box. */
export type LimitSight = {
  id: WorkspaceId;
  epoch: number;
  limits: Limits;
  counters: LimitCounters;
  /** Processes and threads now; null where the host does not count. */
  processes: number | null;
  /** Bytes on the disk; null when they were not looked at this time. */
  diskBytes: number | null;
  /** Programs that the kernel ended for want of memory since the last look. */
  ended: () => string[];
};

/** Milliseconds in which one limit of one box is told at most once. */
const quietMs = 10_000;
/** A disk counts as full when less than this is left, and as free again when twice as much is. */
const diskMargin = 1 << 20;

/** Turns counters that grow into happenings: each limit at most once in ten seconds, however often it is hit. */
export function createLimitWatch({
  tell,
  now = () => performance.now(),
}: {
  tell: (id: WorkspaceId, epoch: number, body: BoxHappeningBody) => void;
  now?: () => number;
}) {
  type Known = { epoch: number; counters: LimitCounters; toldAt: Map<string, number>; full: boolean };
  const known = new Map<WorkspaceId, Known>();

  const grew = (before: number | null, after: number | null) => before !== null && after !== null && after > before;

  return {
    look(sight: LimitSight): void {
      const { id, epoch, limits, counters, processes, diskBytes, ended } = sight;
      const before = known.get(id);
      if (before === undefined || before.epoch !== epoch) {
        known.set(id, { epoch, counters: { memory: 0, processes: 0 }, toldAt: new Map(), full: false });
        return this.look(sight);
      }
      const say = (body: BoxHappeningBody & { kind: "limit.reached" }): void => {
        const last = before.toldAt.get(body.data.limit);
        if (last !== undefined && now() - last < quietMs) return;
        before.toldAt.set(body.data.limit, now());
        tell(id, epoch, body);
      };
      if (grew(before.counters.memory, counters.memory)) {
        const process = ended().at(-1) ?? null;
        const data = { limit: "memory", code: "out_of_memory", process, at: limits.memoryBytes ?? null } as const;
        say({ kind: "limit.reached", data });
      }
      // Programs are held back before the group's own limit is reached, and that nothing counts.
      const used =
        limits.processes !== undefined && processes !== null && processes >= processesForPrograms(limits.processes) - 1;
      if (used || grew(before.counters.processes, counters.processes)) {
        const data = {
          limit: "processes",
          code: "out_of_processes",
          process: null,
          at: limits.processes ?? null,
        } as const;
        say({ kind: "limit.reached", data });
      }
      const room = limits.diskBytes === undefined || diskBytes === null ? null : limits.diskBytes - diskBytes;
      if (room !== null) {
        if (room < diskMargin && !before.full) {
          const data = { limit: "disk", code: "workspace_full", process: null, at: limits.diskBytes ?? null } as const;
          say({ kind: "limit.reached", data });
        }
        before.full = before.full ? room < 2 * diskMargin : room < diskMargin;
      }
      before.counters = counters;
    },
    forget(id: WorkspaceId): void {
      known.delete(id);
    },
  };
}

export type LimitWatch = ReturnType<typeof createLimitWatch>;
