import type { WorkspaceId } from "@alcove/contract/ids";
import { setTimeout as sleep } from "node:timers/promises";
import { limitLog } from "./boxes/box-log.ts";
import type { Boxes } from "./boxes/boxes.ts";
import type { Happenings } from "./happenings.ts";
import type { KernelLog } from "./limits/kernel-log.ts";
import type { LimitWatch } from "./limits/limit-watch.ts";
import type { Cgroups } from "./cgroups/cgroups.ts";
import type { KeyedQueue } from "@alcove/base/keyed-queue";
import { createReaper } from "./kernel/orphans.ts";
import { logLine } from "./log.ts";
import { boxPaths, type Site } from "./site.ts";

const pauseMs = 1_000;
/** Looks at limits between two looks at what changes slowly, or costs more: the disk, whose look is a process, and the way out. */
const looksPerSlowLook = 5;

/**
 * Once a second until the signal aborts: tells of limits that were hit and of boxes that ended by themselves, clears what those have left, opens
 * ways out again that have ended, and keeps logs short.
 */
export async function watchBoxes({
  site,
  boxes,
  cgroups,
  queue,
  happenings,
  limitWatch,
  kernelLog,
  diskBytes,
  signal,
}: {
  site: Site;
  boxes: Boxes;
  cgroups: Cgroups;
  queue: KeyedQueue;
  happenings: Happenings;
  limitWatch: LimitWatch;
  kernelLog: KernelLog;
  /** Bytes of a workspace's files; null where the store has no limits. */
  diskBytes: (id: WorkspaceId) => Promise<number | null>;
  signal: AbortSignal;
}): Promise<void> {
  const reap = createReaper();
  const lookAtLimits = async (id: WorkspaceId, round: number): Promise<void> => {
    const box = await boxes.limited(id);
    // A frozen box does nothing that could hit a limit.
    if (box === null || cgroups.isFrozen(id)) return;
    const looksAtDisk = round % looksPerSlowLook === 0 && box.limits.diskBytes !== undefined;
    limitWatch.look({
      id,
      ...box,
      counters: cgroups.limitCounters(id),
      processes: cgroups.usage(id)?.processes ?? null,
      diskBytes: looksAtDisk ? await diskBytes(id) : null,
      ended: () => kernelLog.endedIn(cgroups.nameOf(id)),
    });
  };
  const tidy = async (id: WorkspaceId): Promise<void> => {
    // Asked again in its turn: a stop or a start may have come before.
    const epoch = await boxes.endedEpoch(id);
    if (epoch === null) return;
    limitWatch.forget(id);
    happenings.add(id, epoch, { kind: "box.died", data: { code: "workspace_unreachable" } });
    await boxes.tidy(id);
  };
  for (let round = 0; !signal.aborted; round += 1) {
    reap();
    for (const id of await boxes.ids()) {
      try {
        await limitLog(boxPaths(site, id).log);
        await lookAtLimits(id, round);
        if ((await boxes.endedEpoch(id)) !== null) await queue.run(id, () => tidy(id), signal);
        else if (round % looksPerSlowLook === 0 && (await boxes.hasLostWayOut(id)))
          await queue.run(id, () => boxes.reopenWayOut(id), signal);
      } catch (error) {
        if (!signal.aborted) logLine("warn", "a box could not be looked after", { workspace: id, error });
      }
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
