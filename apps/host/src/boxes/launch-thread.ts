import type { WorkspaceId } from "@alcove/contract/ids";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { z } from "zod";
import { check, libc } from "../kernel/libc.ts";
import { pathOf } from "../kernel/beneath.ts";
import { changeRoot, copyMounts, mount, unmount } from "../kernel/mounts.ts";
import { createPipe } from "../kernel/pipe.ts";
import { isAlive, type ProcessMark } from "../kernel/processes.ts";
import { serveThread } from "../kernel/serve-thread.ts";
import { startEgress, tunnelDevice, type Egress } from "../network/egress.ts";
import { boxPaths, type Site } from "../site.ts";
import type { RootSource } from "../template/root-source.ts";
import { keptMounts, type memoryFolders } from "./bundle.ts";
import { launchBox, type Launch } from "./launch.ts";
import { assembleBlank, assembleRoot, nextRoot, type RootParts } from "./root-tree.ts";

const dataSchema = z.object({ hybridMount: z.string().nullable() });
export type LaunchThreadData = z.infer<typeof dataSchema>;
export type LaunchOperations = typeof operations;

/** A workspace that moves into a blank, with what its programs are told as `NAME=value`, and the sizes of its folders in memory where they are not a blank's. */
export type Settling = {
  blank: WorkspaceId;
  parts: Omit<RootParts, "userNamespace">;
  environment: string[];
  memory: ReturnType<typeof memoryFolders>;
};

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
const remount = 0x20;
const noSuid = 0x2;
const noDevices = 0x4;
const noExec = 0x8;

const host = currentNamespace();
const { hybridMount } = dataSchema.parse(workerData);
/** Where v1 and v2 of control groups are mixed, crun refuses to start as long as it sees the v2 mount. */
const base = copyNamespace(host, () => hybridMount !== null && unmount(hybridMount));
/** Where the roots of boxes are that are about to start. */
const places = new Map<WorkspaceId, number>();
/** Descriptors of blanks: the lines to first process and daemon, which wait for what they are told, and their namespaces, held because a number of a process may become another's. */
const blanks = new Map<WorkspaceId, { lines: number[]; mounts: number; users: number }>();
/** Ways out start here, which outlive this process, and the place with them. */
const waysOut = new Map<string | null, number>();

const operations = {
  assemble(parts: RootParts): void {
    leave(parts.workspace);
    const place = copyNamespace(base, () => assembleRoot(parts));
    places.set(parts.workspace, place);
  },
  assembleBlank({ site, id, source }: { site: Site; id: WorkspaceId; source: RootSource }): void {
    const place = copyNamespace(base, () => assembleBlank(site, id, source));
    places.set(id, place);
  },
  async launch({ blank, ...launch }: Omit<Launch, "lines"> & { blank: boolean }): Promise<ProcessMark> {
    const id = launch.record.workspace;
    const place = places.get(id);
    if (place === undefined) throw new Error("the box's root is not there");
    if (!blank) return inside(place, () => launchBox({ ...launch, lines: [] }));
    const pipes = [createPipe(), createPipe()];
    const held = pipes.map(({ write }) => write);
    try {
      const mark = await inside(place, () => launchBox({ ...launch, lines: pipes.map(({ read }) => read) }));
      const [mounts, users] = (["mnt", "user"] as const).map((name) => {
        const namespace = openSync(`/proc/${mark.pid}/ns/${name}`, "r");
        held.push(namespace);
        return namespace;
      });
      // Alive now, it was so before, and these are not another's to whom its number was given.
      if (mounts === undefined || users === undefined || !isAlive(mark)) throw new Error("the box ended at once");
      blanks.set(id, { lines: pipes.map(({ write }) => write), mounts, users });
      return mark;
    } catch (error) {
      for (const descriptor of held) closeSync(descriptor);
      throw error;
    } finally {
      for (const { read } of pipes) closeSync(read);
    }
  },
  /** Puts a workspace's root together, makes it that of a blank, and tells the blank's first process what it is. */
  settle({ blank, parts, environment, memory }: Settling): void {
    const box = blanks.get(blank);
    if (box === undefined) throw new Error("the box that was made ahead is not there");
    leave(parts.workspace);
    const userNamespace = pathOf({ fd: box.users });
    const place = copyNamespace(base, () => assembleRoot({ ...parts, userNamespace }));
    places.set(parts.workspace, place);
    using root = inside(place, () => copyMounts(boxPaths(parts.site, parts.workspace).root));
    inside(box.mounts, () => {
      changeRoot(root, { kept: keptMounts, at: nextRoot });
      for (const { path, bytes, noPrograms } of memory)
        mount("tmpfs", "tmpfs", path, remount | noSuid | noDevices | (noPrograms ? noExec : 0), `size=${bytes}`);
    });
    for (const line of box.lines) writeFileSync(line, [...environment, "", ""].join("\n"));
    hangUp(blank);
  },
  hangUp,
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

/** Closes what is held of a blank, which ends when it has not been told what it is. */
function hangUp(id: WorkspaceId): void {
  const blank = blanks.get(id);
  if (blank === undefined) return;
  blanks.delete(id);
  for (const descriptor of [...blank.lines, blank.mounts, blank.users]) closeSync(descriptor);
}

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
