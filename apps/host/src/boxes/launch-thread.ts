import type { WorkspaceId } from "@alcove/contract/ids";
import { openSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { z } from "zod";
import { check, libc } from "../kernel/libc.ts";
import { mount, unmount } from "../kernel/mounts.ts";
import type { ProcessMark } from "../kernel/processes.ts";
import { serveThread } from "../kernel/serve-thread.ts";
import { startEgress, tunnelDevice, type Egress } from "../network/egress.ts";
import type { Site } from "../site.ts";
import { launchBox, type Launch } from "./launch.ts";
import { assembleRoot, dismantleRoot, type RootParts } from "./root-tree.ts";

const dataSchema = z.object({ hybridMount: z.string().nullable() });
export type LaunchThreadData = z.infer<typeof dataSchema>;
export type LaunchOperations = typeof operations;

/**
 * The thread that puts roots of boxes together and starts programs in mount namespaces of ours (unshare(2) changes the calling thread alone, and what it starts is
 * there, too): roots are seen nowhere else, and nothing is left of them when this process ends. What is mounted or taken away on the host later reaches them as well.
 */
const mountNamespace = 0x2_0000;
const fileSystemState = 0x200;
const recursive = 0x4000;
const bind = 0x1000;
const slave = 0x8_0000;

const host = currentNamespace();
const { hybridMount } = dataSchema.parse(workerData);
/** Roots are put together here. Where v1 and v2 of control groups are mixed, crun refuses to start as long as it sees the v2 mount. */
const workshop = makeNamespace(() => hybridMount !== null && unmount(hybridMount));
/** Ways out start here, which outlive this process, and the place with them. */
const waysOut = new Map<string | null, number>();

const operations = {
  assemble: (parts: RootParts): void => assembleRoot(parts),
  dismantle: ({ site, workspace }: { site: Site; workspace: WorkspaceId }): void => dismantleRoot(site, workspace),
  launch: (launch: Launch): Promise<ProcessMark> => launchBox(launch),
  openWayOut({ device, ...egress }: Egress & { device: string | null }): Promise<ProcessMark> {
    const place =
      waysOut.get(device) ?? makeNamespace(() => device !== null && mount("none", device, tunnelDevice, bind, ""));
    waysOut.set(device, place);
    enter(place);
    try {
      return startEgress(egress);
    } finally {
      enter(workshop);
    }
  },
};
enter(workshop);
serveThread(operations);

/** A copy of the host's mount namespace, changed. This thread is in it afterwards. */
function makeNamespace(change: () => unknown): number {
  enter(host);
  check("unshare", libc.unshare(mountNamespace));
  mount("none", "none", "/", recursive | slave, "");
  change();
  return currentNamespace();
}

function enter(namespace: number): void {
  // Shared with the threads that the runtime has started from here, and then refused (setns(2)).
  check("unshare", libc.unshare(fileSystemState));
  check("setns", libc.setns(namespace, mountNamespace));
}

function currentNamespace(): number {
  return openSync("/proc/thread-self/ns/mnt", "r");
}
