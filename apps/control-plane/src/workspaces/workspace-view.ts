import type { Workspace } from "@alcove/contract/api/workspace";
import type { BoxPort } from "@alcove/contract/box/ports";
import type { WorkspaceRow } from "./workspace-store.ts";

/** A workspace as the API shows it. */
export function workspaceView(row: WorkspaceRow, ports: readonly BoxPort[], usage: Workspace["usage"]): Workspace {
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    box: row.box,
    epoch: row.epoch,
    why: row.why,
    error: row.error,
    runtime: row.runtime,
    rootfs: row.rootfs,
    template: row.template,
    start: row.templateRoot?.start ?? null,
    expectedPorts: row.templateRoot?.ports ?? [],
    origin:
      row.originWorkspace === null || row.originSnapshot === null
        ? null
        : { workspace: row.originWorkspace, snapshot: row.originSnapshot },
    base: row.baseSnapshot,
    limits: row.limits,
    network: row.network,
    lifetime: row.lifetime,
    usage,
    ports: [...ports],
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    startMs: row.startMs,
  };
}
