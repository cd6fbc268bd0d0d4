import { readdirSync, rmdirSync, statfsSync } from "node:fs";
import { mount, unmount } from "./kernel/mounts.ts";
import type { Site } from "./site.ts";

/** TMPFS_MAGIC of statfs(2). */
const inMemory = 0x01021994;
const noSuid = 0x2;
const noDevices = 0x4;

/** Puts the stage in memory where /run is on a disk, as in a container: it is gone after a restart of the machine, and no start waits for the disk. */
export function openStage({ stage, privileged }: Site): void {
  // What boxes have there that still run stays where it is.
  if (!privileged || statfsSync(stage).type === inMemory || readdirSync(stage).length > 0) return;
  mount("tmpfs", "tmpfs", stage, noSuid | noDevices, "mode=755");
}

/** Takes it away again, with what is empty of it. */
export function closeStage({ stage, privileged }: Site): void {
  if (!privileged) return;
  unmount(stage);
  try {
    rmdirSync(stage);
  } catch {
    // Where it was in memory anyway, something may be left in it.
  }
}
