import { createHostClient } from "../host/host-client.ts";
import type { VolumeStore } from "./volume-store.ts";

/** The volume store of this machine: btrfs where the host process has a pool, plain folders elsewhere. */
export function createHostVolumes({ hostSocket }: { hostSocket: string }): VolumeStore {
  const host = createHostClient({ hostSocket });
  return {
    capabilities: (signal) => host.call("volume.capabilities", {}, signal),
    async create(workspace, signal) {
      await host.call("volume.create", { workspace }, signal);
    },
    async destroy(workspace, signal) {
      await host.call("volume.destroy", { workspace }, signal);
    },
    async snapshot(workspace, snapshot, signal) {
      await host.call("volume.snapshot", { workspace, snapshot }, signal);
    },
    async deleteSnapshot(workspace, snapshot, signal) {
      await host.call("volume.deleteSnapshot", { workspace, snapshot }, signal);
    },
    async fork(workspace, snapshot, target, signal) {
      await host.call("volume.fork", { workspace, snapshot, target }, signal);
    },
    async restore(workspace, snapshot, signal) {
      await host.call("volume.restore", { workspace, snapshot }, signal);
    },
    changes: (workspace, from, to, signal, fromWorkspace) =>
      host.call("volume.changes", { workspace, from, to, fromWorkspace }, signal),
    revert: (workspace, from, to, signal) => host.call("volume.revert", { workspace, from, to }, signal),
    readSnapshot: (workspace, snapshot, path, signal) =>
      host.stream("volume.read", { workspace, snapshot, path }, signal),
    export: (workspace, snapshot, signal) => host.stream("volume.export", { workspace, snapshot }, signal),
    usage: (workspace, signal) => host.call("volume.usage", { workspace }, signal),
  };
}
