import { boxPortsSchema, watchLineSchema, type BoxPort } from "@alcove/contract/box/ports";
import type { WorkspaceId } from "@alcove/contract/ids";
import { pause, type Wake } from "../events/wake.ts";
import type { Log } from "../log/log.ts";
import type { Workspaces } from "./workspaces.ts";
import type { WorkspaceStore } from "./workspace-store.ts";

/** What listens in the boxes that run, as their daemons tell. Never wakes a box. */
export interface PortWatch {
  of(workspace: WorkspaceId): readonly BoxPort[];
  /** Begins to watch the box if it runs and is not watched. */
  attend(workspace: WorkspaceId): void;
  close(): Promise<void>;
}

const settleMs = 300;

export function createPortWatch({
  workspaces,
  store,
  wake,
  log,
}: {
  workspaces: Workspaces;
  store: WorkspaceStore;
  wake: Wake;
  log: Log;
}): PortWatch {
  const ports = new Map<WorkspaceId, readonly BoxPort[]>();
  const watching = new Map<WorkspaceId, Promise<void>>();
  const ended = new AbortController();

  const watch = async (id: WorkspaceId) => {
    // A box that has just started has better to do.
    await pause(settleMs, ended.signal);
    const row = await store.byId(id);
    const box = row && workspaces.awakeBox(row);
    if (!row || !box) return;
    for await (const line of box.lines(watchLineSchema, { path: "/v1/watch", signal: ended.signal, quiet: true })) {
      if ("ping" in line) continue;
      ports.set(id, boxPortsSchema.parse(line.ports));
      wake.notify(`workspace:${id}`);
      wake.notify(`owner:${row.ownerId}`);
    }
  };

  return {
    of: (workspace) => ports.get(workspace) ?? [],
    attend(workspace) {
      if (watching.has(workspace) || ended.signal.aborted) return;
      const life = watch(workspace)
        .catch((error: unknown) => {
          if (!ended.signal.aborted)
            log.debug({ err: error, workspace }, "the ports of a box are not watched any more");
        })
        .then(() => pause(500, ended.signal))
        .then(() => {
          watching.delete(workspace);
          ports.delete(workspace);
        });
      watching.set(workspace, life);
    },
    async close() {
      ended.abort();
      await Promise.all(watching.values());
    },
  };
}
