import { CodedError } from "@alcove/contract/errors";
import type { BoxAddress, BoxState, HostRequest, RuntimeName, StartedBox } from "@alcove/contract/host";
import type { Limits } from "@alcove/contract/api/workspace";
import type { WorkspaceId } from "@alcove/contract/ids";
import { existsSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { Cgroups } from "../cgroups/cgroups.ts";
import { findByEnvironment, isAlive, signalProcess, waitForEnd } from "../kernel/processes.ts";
import { logLine } from "../log.ts";
import { boxPaths, type Site } from "../site.ts";
import type { HostAbilities } from "../capabilities/abilities.ts";
import type { BoxNetworks } from "../network/box-networks.ts";
import { hasLostWayOut, readStartedProcesses, type BoxRecord, type BoxRecords } from "./box-record.ts";
import { allDone } from "./all-done.ts";
import { readLogEnd } from "./box-log.ts";
import type { BoxStarter, Started } from "./box-starter.ts";
import { limitOpenFiles } from "./open-files.ts";
import type { IdRanges } from "./id-range.ts";
import { nameBox } from "./name-box.ts";
import { dismantleRoot } from "./root-tree.ts";

/** Milliseconds between the polite and the forced end of a box. */
const graceMs = 3_000;

export type Boxes = ReturnType<typeof createBoxes>;
type Parts = {
  site: Site;
  records: BoxRecords;
  ranges: IdRanges;
  cgroups: Cgroups;
  networks: BoxNetworks;
  abilities: () => HostAbilities;
  starters: Record<RuntimeName, BoxStarter>;
  limitVolume: (id: WorkspaceId, bytes: number | undefined) => Promise<void>;
  /** Bytes that the files of a workspace take; null where the host does not count. */
  volumeBytes: (id: WorkspaceId) => Promise<number | null>;
};

/**
 * The boxes of this machine. Calls for one workspace come one after the other (see server.ts); each may be repeated after a crash at any point, because it looks
 * at the stored record and the kernel, and remembers nothing else.
 */
export function createBoxes(parts: Parts) {
  const { site, records, ranges, cgroups, networks, abilities, starters, limitVolume, volumeBytes } = parts;
  const mustRead = (id: WorkspaceId): BoxRecord => {
    const record = records.read(id);
    if (record === null)
      throw new CodedError("not_found", `Cannot find the box of workspace "${id}": it was never created here`);
    return record;
  };
  const isRunning = (record: BoxRecord | null): record is BoxRecord & { running: NonNullable<BoxRecord["running"]> } =>
    record?.running != null && isAlive(record.running.init);
  /** True from the end of a box that was not stopped until that is told and tidied up. */
  const hasDied = (record: BoxRecord): boolean =>
    record.running !== null && !isRunning(record) && record.stoppedEpoch < record.epoch;
  const address = (record: BoxRecord): BoxAddress => ({
    workspace: record.workspace,
    epoch: record.epoch,
    socket: starters[record.runtime].socketOf(record.workspace),
    thaw: cgroups.thawOf(record.workspace),
  });

  /** Boxes that stand still for a moment, which is nobody's wish to let them rest. */
  const paused = new Set<WorkspaceId>();

  const stateOf = (record: BoxRecord): BoxState => {
    const { workspace: id, epoch } = record;
    if (!isRunning(record)) return { state: "stopped", ...(hasDied(record) && { died: true }) };
    return {
      state: "running",
      epoch,
      rootfs: record.running.rootfs,
      frozen: cgroups.isFrozen(id) && !paused.has(id),
      address: address(record),
      usage: {
        ...(cgroups.usage(id) ?? { memoryBytes: null, cpuMicros: null, processes: null }),
        ...networks.usage(id, record.running.init.pid),
      },
    };
  };

  /** Ends and removes all that a box has in the kernel, in whatever state it is; the record stays. */
  const clear = async (id: WorkspaceId, record: BoxRecord | null): Promise<void> => {
    const paths = boxPaths(site, id);
    networks.release(id);
    // Without cgroups the first process takes all others of its pid namespace with it.
    for (const mark of await readStartedProcesses(site, id)) signalProcess(mark, "SIGKILL");
    if (record?.running != null) signalProcess(record.running.init, "SIGKILL");
    // What a crash left before it was noted anywhere is in the box's control group, or is known by what it was started with.
    if (!cgroups.tracks) for (const mark of findByEnvironment("ALCOVE_WORKSPACE", id)) signalProcess(mark, "SIGKILL");
    await cgroups.destroy(id);
    if (record?.running != null) await waitForEnd(record.running.init, graceMs);
    if (record !== null) await starters[record.runtime].clear(id);
    dismantleRoot(site, id);
    for (const path of [paths.bundle, `${paths.runtimeState}/${id}`, paths.socket])
      if (existsSync(path)) rmSync(path, { recursive: true, force: true });
  };

  /** In a box that was made ahead, or from the beginning. */
  const bringUp = async (record: BoxRecord): Promise<Started> => {
    const id = record.workspace;
    const starter = starters[record.runtime];
    try {
      const settled = await starter.settle(record);
      if (settled !== null) return settled;
    } catch (error) {
      logLine("warn", "a box that was made ahead could not be used", { workspace: id, error });
      await clear(id, record);
    }
    return starter.bringUp(record);
  };

  async function start(id: WorkspaceId, epoch: number): Promise<StartedBox> {
    const record = mustRead(id);
    if (epoch < record.epoch || epoch <= record.stoppedEpoch) {
      throw new CodedError(
        "epoch_stale",
        `Cannot start epoch ${epoch} of workspace "${id}": epoch ${Math.max(record.epoch, record.stoppedEpoch)} came after it`,
      );
    }
    if (epoch === record.epoch && isRunning(record)) {
      // Whoever starts it wants it to run, also when a crash came between a freeze and its thaw.
      cgroups.freezeBox(id, false);
      return { ...address(record), rootfs: record.running.rootfs };
    }
    const next: BoxRecord = { ...record, epoch, running: null };
    // Whoever noted that nothing runs has taken away what was left of it.
    if (record.running !== null) await end(id, record);
    // Whoever starts it knows the epoch for good: after a power cut it comes with the next one.
    await records.write(next, { survivesPowerCut: false });
    try {
      const started = await bringUp(next);
      try {
        // After a power cut nothing runs, whatever it says.
        await records.write({ ...next, ...started }, { survivesPowerCut: false });
      } finally {
        ranges.release(started.firstId);
      }
      return { ...address(next), rootfs: started.running.rootfs };
    } catch (error) {
      await clear(id, records.read(id));
      await records.write(next);
      throw error;
    }
  }

  /** Politely at first; all that is left of the box is gone when this resolves. */
  async function end(id: WorkspaceId, record: BoxRecord): Promise<void> {
    if (isRunning(record)) {
      cgroups.freezeBox(id, false);
      signalProcess(record.running.init, "SIGTERM");
      await waitForEnd(record.running.init, graceMs);
    }
    await clear(id, record);
  }

  return {
    async create(spec: HostRequest<"box.create">, spare?: "spare"): Promise<void> {
      const known = records.read(spec.workspace);
      if (known !== null) {
        if (known.running === null) starters[known.runtime].expect(known);
        if (known.runtime !== spec.runtime && known.running !== null)
          throw new CodedError("workspace_busy", "Cannot change the runtime: the workspace's box runs");
        const next = { ...known, ...spec };
        return isDeepStrictEqual(next, known) ? undefined : records.write(next);
      }
      // A workspace's own box is made again before each start; nobody but this record knows a spare.
      const survivesPowerCut = spare !== undefined;
      const firstId = ranges.take();
      try {
        const record = { ...spec, spare, firstId, epoch: 0, stoppedEpoch: 0, running: null };
        await records.write(record, { survivesPowerCut });
        starters[spec.runtime].expect(record);
      } finally {
        ranges.release(firstId);
      }
    },
    /** Makes a frozen spare the box of a workspace that is about to be stored. */
    async adoptSpare(id: WorkspaceId, wish: HostRequest<"box.claim">): Promise<BoxAddress> {
      const before = mustRead(id);
      const record: BoxRecord = { ...before, ...wish, spare: "claimed", claimedAt: Date.now() };
      if (!isRunning(record)) throw new CodedError("workspace_start_failed", "The box has ended meanwhile");
      cgroups.setLimits(id, wish.limits);
      // A crash before the record is written leaves a spare, and spares end with the host process that made them.
      await allDone([
        // Made to last by `keep`, a moment later: whoever waits for the box does not wait for the disk.
        records.write(record, { survivesPowerCut: false }),
        nameBox(record.running.init.pid, boxPaths(site, id).bundle, wish.name, site.privileged),
        wish.limits.diskBytes === undefined ? undefined : limitVolume(id, wish.limits.diskBytes),
        wish.network.mode === "open" ? undefined : networks.apply(id, wish.network),
      ]);
      cgroups.freezeBox(id, false);
      return address(record);
    },
    async keep(id: WorkspaceId): Promise<void> {
      const record = records.read(id);
      if (record?.spare !== "claimed") return;
      await records.write({ ...record, spare: undefined, claimedAt: undefined });
    },
    async update(spec: HostRequest<"box.update">): Promise<void> {
      const before = mustRead(spec.workspace);
      const record = { ...before, ...spec };
      const { processes, diskBytes } = spec.limits;
      // What is over its limit already, as after a restore, may be changed in all other ways, and the limit raised.
      const isLowered = (name: "processes" | "diskBytes") =>
        (spec.limits[name] ?? Number.POSITIVE_INFINITY) < (before.limits[name] ?? Number.POSITIVE_INFINITY);
      if (diskBytes !== undefined && isLowered("diskBytes") && ((await volumeBytes(spec.workspace)) ?? 0) > diskBytes)
        throw new CodedError(
          "limit_too_low",
          `Cannot limit the disk to ${Math.floor(diskBytes / 2 ** 20)} MiB: the files of the workspace take more`,
        );
      const running = isRunning(record) ? (cgroups.usage(spec.workspace)?.processes ?? 0) : 0;
      if (processes !== undefined && isLowered("processes") && running > processes)
        throw new CodedError("limit_too_low", `Cannot limit processes to ${processes}: more of them run`);
      // The box first: a limit that is below what is in use is refused, and then nothing has changed.
      if (isRunning(record)) {
        cgroups.setLimits(spec.workspace, spec.limits);
        await starters[record.runtime].limit(record);
        if (spec.limits.openFiles !== before.limits.openFiles)
          await limitOpenFiles(
            cgroups.processes(spec.workspace),
            starters[record.runtime].userOf(record),
            spec.limits.openFiles,
          );
      }
      await limitVolume(spec.workspace, spec.limits.diskBytes);
      await records.write(record);
      if (isRunning(record)) await networks.apply(spec.workspace, spec.network);
    },
    start,
    async stop(id: WorkspaceId, epoch: number): Promise<void> {
      const record = mustRead(id);
      if (epoch < record.epoch)
        throw new CodedError(
          "epoch_stale",
          `Cannot stop epoch ${epoch} of workspace "${id}": epoch ${record.epoch} came after it`,
        );
      await records.write({ ...record, stoppedEpoch: epoch });
      await end(id, record);
      await records.write({ ...record, stoppedEpoch: epoch, running: null });
    },
    async freeze(id: WorkspaceId): Promise<void> {
      if (isRunning(mustRead(id))) cgroups.freezeBox(id, true);
    },
    async thaw(id: WorkspaceId): Promise<void> {
      if (isRunning(mustRead(id))) cgroups.freezeBox(id, false);
    },
    /** Does the work while nothing in the box runs; one that is frozen stays so. */
    async whilePaused<T>(id: WorkspaceId, work: () => Promise<T>): Promise<T> {
      if (!isRunning(records.read(id)) || cgroups.isFrozen(id)) return work();
      paused.add(id);
      cgroups.freezeBox(id, true);
      try {
        return await work();
      } finally {
        cgroups.freezeBox(id, false);
        paused.delete(id);
      }
    },
    async destroy(id: WorkspaceId): Promise<void> {
      await clear(id, records.read(id));
      await rm(boxPaths(site, id).log, { force: true });
      await rm(`${boxPaths(site, id).log}.1`, { force: true });
      await records.remove(id);
    },
    async inspect(id: WorkspaceId): Promise<BoxState> {
      const record = records.read(id);
      return record === null ? { state: "absent" } : stateOf(record);
    },
    async list() {
      const given = records.all().filter(({ spare }) => spare !== "spare");
      return given.map((record) => ({
        id: record.workspace,
        state: stateOf(record),
        claimedForMs: claimedForMs(record),
      }));
    },
    /** Stops whatever epoch runs; it may be started again with the same one. */
    async halt(id: WorkspaceId): Promise<void> {
      const record = records.read(id);
      // What a crash left of one that was never noted.
      if (record === null) return clear(id, null);
      await end(id, record);
      await records.write({ ...record, running: null });
    },
    /** The epoch of a box that ended without being stopped; null for any other. */
    async endedEpoch(id: WorkspaceId): Promise<number | null> {
      const record = records.read(id);
      return record !== null && hasDied(record) ? record.epoch : null;
    },
    /** Epoch and limits of a box that runs; null for any other. */
    async limited(id: WorkspaceId): Promise<{ epoch: number; limits: Limits } | null> {
      const record = records.read(id);
      return isRunning(record) ? { epoch: record.epoch, limits: record.limits } : null;
    },
    /** True when the box runs and the process of its way out has ended. */
    async hasLostWayOut(id: WorkspaceId): Promise<boolean> {
      return isRunning(records.read(id)) && abilities().egress && hasLostWayOut(site, id);
    },
    async reopenWayOut(id: WorkspaceId): Promise<void> {
      const record = records.read(id);
      if (isRunning(record) && (await hasLostWayOut(site, id)))
        await starters[record.runtime].reopenWayOut(record, record.running.init);
    },
    /** The end of what the box has written, at most so many bytes; kept after it has ended. */
    async log(id: WorkspaceId, maxBytes: number): Promise<string> {
      const record = records.read(id);
      const kept = await readLogEnd(boxPaths(site, id).log, maxBytes);
      if (record === null) return kept;
      return (kept + (await starters[record.runtime].log(id))).slice(-maxBytes);
    },
    async isRunning(id: WorkspaceId): Promise<boolean> {
      return isRunning(records.read(id));
    },
    /** Removes what a box that ended by itself, or a crash, has left. */
    async tidy(id: WorkspaceId): Promise<void> {
      const record = records.read(id);
      if (isRunning(record)) {
        dismantleRoot(site, id);
        starters[record.runtime].adopt(id, record.running.init);
        networks.adopt({
          workspace: id,
          epoch: record.epoch,
          namespace: `/proc/${record.running.init.pid}/ns/net`,
          network: record.network,
          egress: abilities().egress,
          trafficFile: boxPaths(site, id).traffic,
        });
        return;
      }
      await clear(id, record);
      if (record?.running != null) await records.write({ ...record, running: null });
    },
    /** Of all boxes, or of those that were made ahead and not given away. */
    async ids(which?: "spare"): Promise<WorkspaceId[]> {
      if (which === undefined) return records.ids();
      return records.all().flatMap((record) => (record.spare === "spare" ? [record.workspace] : []));
    },
  };
}

function claimedForMs({ spare, claimedAt = 0 }: BoxRecord): number | null {
  return spare === "claimed" ? Math.max(0, Date.now() - claimedAt) : null;
}
