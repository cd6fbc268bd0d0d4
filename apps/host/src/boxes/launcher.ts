import type { WorkspaceId } from "@alcove/contract/ids";
import type { ProcessMark } from "../kernel/processes.ts";
import { createThread } from "../kernel/thread.ts";
import type { Egress } from "../network/egress.ts";
import type { Site } from "../site.ts";
import type { RootSource } from "../template/root-source.ts";
import type { LaunchOperations, LaunchThreadData, Settling } from "./launch-thread.ts";
import type { Launch } from "./launch.ts";
import type { RootParts } from "./root-tree.ts";

/** Puts boxes' roots together and starts their programs, in a thread that has places of its own for it; see launch-thread.ts. */
export interface Launcher extends AsyncDisposable {
  assemble(parts: RootParts): Promise<void>;
  /** Puts a root together for a box that is nobody's yet. */
  assembleBlank(site: Site, id: WorkspaceId, source: RootSource): Promise<void>;
  /** Starts the box in the root that was put together for it. */
  launch(launch: Omit<Launch, "lines"> & { blank: boolean }): Promise<ProcessMark>;
  /** Makes the workspace's root that of a blank, which becomes its box. */
  settle(settling: Settling): Promise<void>;
  /** Ends a blank that nobody has. */
  hangUp(id: WorkspaceId): Promise<void>;
  /** Lets that root go; a box that runs has its own copy. */
  leave(workspace: WorkspaceId): Promise<void>;
  /** Lets all places go at the end, so that the file system with the volumes can be unmounted. */
  leaveAll(): Promise<void>;
  /** The mark of a way out that is ready; `device` is put in the place of a closed one. Code: `workspace_start_failed`. */
  openWayOut(egress: Egress & { device: string | null }): Promise<ProcessMark>;
}

/** `hybridMount`: see Cgroups. */
export function createLauncher(data: LaunchThreadData): Launcher {
  const thread = createThread<LaunchOperations>("boxes", "launch-thread", data);
  return {
    assemble: (parts) => thread.call("assemble", parts),
    assembleBlank: (site, id, source) => thread.call("assembleBlank", { site, id, source }),
    settle: (settling) => thread.call("settle", settling),
    hangUp: (id) => thread.call("hangUp", id),
    leave: (workspace) => thread.call("leave", workspace),
    leaveAll: () => thread.call("leaveAll", undefined),
    launch: (launch) => thread.call("launch", launch),
    openWayOut: (egress) => thread.call("openWayOut", egress),
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}
