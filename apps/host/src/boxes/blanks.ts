import type { Limits } from "@alcove/contract/api/workspace";
import { newId, type WorkspaceId } from "@alcove/contract/ids";
import type { Rootfs } from "@alcove/contract/host";
import { existsSync, renameSync, rmSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isAlive, type ProcessMark } from "../kernel/processes.ts";
import { boxPaths } from "../site.ts";
import type { RootSource } from "../template/root-source.ts";
import { continueLog } from "./box-log.ts";
import { nobodysBox, type BoxRecord } from "./box-record.ts";
import type { Started } from "./box-starter.ts";
import { boxEnvironment, memoryFolders, processLimits } from "./bundle.ts";
import { leavePlace, type FirstProcesses, type FirstProcessParts } from "./first-process.ts";
import type { IdRanges } from "./id-range.ts";
import { nameBox } from "./name-box.ts";
import { createStock, type LastTaking, type Stock } from "./stock.ts";

/** A box made ahead whose daemon has begun, and waits for a workspace; `source` is what its own root is made of. */
type Blank = { id: WorkspaceId; firstId: number; init: ProcessMark; source: RootSource };

export interface Blanks extends Pick<Stock<Blank>, "keep" | "clear"> {
  /** True when there is one, and as far as the record tells the workspace can have it. */
  fits(record: BoxRecord): boolean;
  /**
   * Starts a workspace that fits in one of them; null where none lies over the same source. What of a failure bears the workspace's name is the caller's to clear. The
   * workspace has the blank's ids from then on, which the caller lets go when that is stored.
   */
  settle(record: BoxRecord, source: RootSource): Promise<Started | null>;
}

/**
 * Boxes for workspaces that start with files of their own. All that takes long was done ahead: namespaces, control groups, network and way out, crun. They have
 * no records: what an earlier host process has left of them bears names that nobody knows, and is swept away.
 */
export function createBlanks(
  parts: FirstProcessParts & {
    ranges: IdRanges;
    firstProcesses: FirstProcesses;
    store: string;
    wanted: number;
    lastTaking: LastTaking;
    /** What workspaces lie over that ask for nothing else, now. */
    usualSource: () => Promise<RootSource>;
    usualKind: () => Rootfs;
    hasRoom: () => Promise<boolean>;
  },
): Blanks {
  const { site, cgroups, networks, launcher, ranges, firstProcesses, store, wanted } = parts;

  /** May be repeated, and comes after a part of it was given away. */
  const end = async ({ id, firstId }: Pick<Blank, "id" | "firstId">): Promise<void> => {
    const paths = boxPaths(site, id);
    await launcher.hangUp(id);
    networks.release(id);
    await cgroups.destroy(id);
    for (const path of [paths.bundle, `${paths.runtimeState}/${id}`, paths.socket, paths.log])
      if (existsSync(path)) rmSync(path, { recursive: true, force: true });
    ranges.release(firstId);
  };

  const make = async (): Promise<Blank> => {
    const id = newId("workspace");
    const firstId = ranges.take();
    try {
      const source = await parts.usualSource();
      const init = await firstProcesses.start({
        record: { ...nobodysBox, workspace: id, firstId, epoch: 0, stoppedEpoch: 0, running: null },
        namespaces: () => networks.make(firstId),
        assemble: () => launcher.assembleBlank(site, id, source),
        blank: true,
      });
      return { id, firstId, init, source };
    } catch (error) {
      await end({ id, firstId });
      throw error;
    }
  };

  /** Gives all that bears the blank's name that of the workspace, of which nothing is there. */
  const rename = ({ id: from }: Blank, { workspace: id, epoch }: BoxRecord): void => {
    const old = boxPaths(site, from);
    const paths = boxPaths(site, id);
    cgroups.rename(from, id);
    renameSync(old.bundle, paths.bundle);
    renameSync(`${old.runtimeState}/${from}`, `${paths.runtimeState}/${id}`);
    networks.rename(from, { workspace: id, epoch, trafficFile: paths.traffic });
    continueLog(paths.log, old.log);
    renameSync(old.socket, paths.socket);
  };

  const stock = createStock({
    what: "a blank box",
    wanted: site.privileged && cgroups.renames ? wanted : 0,
    lastTaking: parts.lastTaking,
    make,
    end,
    isOutdated: ({ init, source }) => source.kind !== parts.usualKind() || !isAlive(init),
    hasRoom: parts.hasRoom,
  });

  return {
    keep: stock.keep,
    clear: stock.clear,
    fits(record) {
      // One that is made ahead itself takes nothing from those that are waited for.
      if (!stock.has() || record.spare !== undefined || record.template !== undefined) return false;
      return record.network.mode === "open" && isUsual(record.limits) && environmentOf(record).every(canBeTold);
    },
    async settle(record, source) {
      const blank = stock.take((one) => source.over === undefined && one.source.root === source.root);
      if (blank === undefined) return null;
      const { workspace: id, name, limits } = record;
      try {
        if (!isAlive(blank.init)) throw new Error("it has ended");
        rename(blank, record);
        cgroups.setLimits(id, limits);
        await nameBox(blank.init.pid, boxPaths(site, id).bundle, name, site.privileged);
        await launcher.settle({
          blank: blank.id,
          parts: { site, workspace: id, name, firstId: blank.firstId, store, source },
          environment: environmentOf(record),
          memory: limits.memoryBytes === undefined ? [] : memoryFolders(limits),
        });
        return { firstId: blank.firstId, running: { init: blank.init, rootfs: source.kind } };
      } catch (error) {
        await end(blank);
        throw error;
      } finally {
        leavePlace(launcher, id);
      }
    },
  };
}

/** Each process of a blank has its limits already. */
function isUsual(limits: Limits): boolean {
  return isDeepStrictEqual(processLimits(limits), processLimits({}));
}

function environmentOf(record: BoxRecord): string[] {
  return boxEnvironment(record, record.epoch, null);
}

/** A shell exports it as it is. */
function canBeTold(variable: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*=[^\n]*$/.test(variable);
}
