import type { WorkspaceId } from "@alcove/contract/ids";
import { closeSync, openSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { z } from "zod";
import { check, libc } from "../kernel/libc.ts";
import { mount, unmount } from "../kernel/mounts.ts";
import type { ProcessMark } from "../kernel/processes.ts";
import { serveThread } from "../kernel/serve-thread.ts";
import { startEgress, tunnelDevice, type Egress } from "../network/egress.ts";
import { launchBox, type Launch } from "./launch.ts";
import { assembleRoot, type RootParts } from "./root-tree.ts";

const dataSchema = z.object({ hybridMount: z.string().nullable() });
export type LaunchThreadData = z.infer<typeof dataSchema>;
export type LaunchOperations = typeof operations;

/**
 * The thread that puts roots of boxes together and starts programs in mount namespaces of ours (unshare(2) changes the calling thread alone, and what it starts is
 * there, too). Each root is put together in a namespace of its own: what crun reads and copies of the mounts it sees does not grow with other boxes', and nothing of
 * it is left when this process ends. What is mounted or taken away on the host later reaches them as well.
 */
const mountNamespace = 0x2_0000;
const fileSystemState = 0x200;
const recursive = 0x4000;
const bind = 0x1000;
const slave = 0x8_0000;

const host = currentNamespace();
const { hybridMount } = dataSchema.parse(workerData);
/** Where v1 and v2 of control groups are mixed, crun refuses to start as long as it sees the v2 mount. */
const base = copyNamespace(host, () => hybridMount !== null && unmount(hybridMount));
/** Where the roots of boxes are that are about to start. */
const places = new Map<WorkspaceId, number>();
/** Ways out start here, which outlive this process, and the place with them. */
const waysOut = new Map<string | null, number>();

const operations = {
  assemble(parts: RootParts): void {
    leave(parts.workspace);
    const place = copyNamespace(base, () => assembleRoot(parts));
    places.set(parts.workspace, place);
  },
  launch(launch: Launch): Promise<ProcessMark> {
    const place = places.get(launch.record.workspace);
    if (place === undefined) throw new Error("the box's root is not there");
    return inside(place, () => launchBox(launch));
  },
  leave,
  /** Lets every place go, before the file system with the volumes is unmounted: it is mounted in each of them. Nothing is started afterwards. */
  leaveAll(): void {
    for (const place of [base, ...places.values(), ...waysOut.values()]) closeSync(place);
    places.clear();
    waysOut.clear();
  },
  openWayOut({ device, ...egress }: Egress & { device: string | null }): Promise<ProcessMark> {
    const place =
      waysOut.get(device) ??
      copyNamespace(host, () => device !== null && mount("none", device, tunnelDevice, bind, ""));
    waysOut.set(device, place);
    return inside(place, () => startEgress(egress));
  },
};
serveThread(operations);

/** Lets the place of a box's start go, which ends with the last process in it. */
function leave(workspace: WorkspaceId): void {
  const place = places.get(workspace);
  if (place === undefined) return;
  places.delete(workspace);
  closeSync(place);
}

/** A copy of a mount namespace, changed. */
function copyNamespace(original: number, change: () => unknown): number {
  return inside(original, () => {
    check("unshare", libc.unshare(mountNamespace));
    mount("none", "none", "/", recursive | slave, "");
    change();
    return currentNamespace();
  });
}

/** Works in the namespace; of what is asynchronous, only the beginning. */
function inside<T>(namespace: number, work: () => T): T {
  const before = currentNamespace();
  enter(namespace);
  try {
    return work();
  } finally {
    enter(before);
    closeSync(before);
  }
}

function enter(namespace: number): void {
  // Shared with the threads that the runtime has started from here, and then refused (setns(2)).
  check("unshare", libc.unshare(fileSystemState));
  check("setns", libc.setns(namespace, mountNamespace));
}

function currentNamespace(): number {
  return openSync("/proc/thread-self/ns/mnt", "r");
}
