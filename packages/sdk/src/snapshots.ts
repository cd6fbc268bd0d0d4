import { pageSchema } from "@alcove/contract/api/problem";
import { changeSchema, fileDiffSchema, snapshotSchema, workspaceSchema } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { z } from "zod";
import { encodePath, type Transport } from "./request.ts";
import { signalOf } from "./runs.ts";

interface Waiting {
  signal?: AbortSignal;
}

/** Snapshots of workspaces: taking, comparing, going back, forking, import and export. */
export function createSnapshotCalls(transport: Transport) {
  const { read, send, url } = transport;
  const of = (workspace: string) => `/workspaces/${encodeURIComponent(workspace)}`;
  const snapshotOf = (workspace: string, snapshot: string) =>
    `${of(workspace)}/snapshots/${encodeURIComponent(snapshot)}`;
  return {
    snapshots: (workspace: string, options: Waiting = {}) =>
      read(pageSchema(snapshotSchema), "GET", `${of(workspace)}/snapshots`, signalOf(options)),
    takeSnapshot: (workspace: string, snapshot: { name?: string } = {}) =>
      read(snapshotSchema, "POST", `${of(workspace)}/snapshots`, { json: snapshot }),
    renameSnapshot: (workspace: string, snapshot: string, changes: { name: string | null }) =>
      read(snapshotSchema, "PATCH", snapshotOf(workspace, snapshot), { json: changes }),
    deleteSnapshot: (workspace: string, snapshot: string) =>
      send("DELETE", snapshotOf(workspace, snapshot)).then(() => undefined),
    /** Puts all files back; `safety` is a snapshot of what was there until then. The box restarts when it ran. */
    restore: (workspace: string, snapshot: string) =>
      read(
        z.object({ workspace: workspaceSchema, safety: snapshotSchema }),
        "POST",
        `${snapshotOf(workspace, snapshot)}/restore`,
      ),
    /** A new workspace with the files of the snapshot, or of this moment. */
    fork: (workspace: string, wish: { name?: string; snapshot?: string } = {}) =>
      read(workspaceSchema, "POST", `${of(workspace)}/fork`, { json: wish }),
    /** Paths that differ between two snapshots; until now when `to` is left out. */
    changes: (workspace: string, range: { from: string; to?: string }, options: Waiting = {}) =>
      read(pageSchema(changeSchema), "GET", `${of(workspace)}/changes`, { query: range, ...signalOf(options) }),
    /** What changed in one text file between two snapshots. */
    diff: (workspace: string, query: { from: string; to: string; path: string }, options: Waiting = {}) =>
      read(fileDiffSchema, "GET", `${of(workspace)}/diff`, { query, ...signalOf(options) }),
    /** The file as the snapshot holds it. */
    readSnapshotFile: (workspace: string, snapshot: string, path: string, options: Waiting = {}) =>
      send("GET", `${snapshotOf(workspace, snapshot)}/files/${encodePath(path)}`, signalOf(options)),
    /** Address of the workspace's files as a tar archive. */
    exportUrl: (workspace: string, options: { snapshot?: string } = {}) => url(`${of(workspace)}/export`, options),
    /** The same as a stream of bytes. */
    export: async (workspace: string, options: Waiting & { snapshot?: string } = {}) => {
      const { snapshot } = options;
      const response = await send("GET", `${of(workspace)}/export`, { query: { snapshot }, ...signalOf(options) });
      if (!response.body) throw new CodedError("server_unreachable");
      return response.body;
    },
    /** A new workspace with the files of a tar archive: of an export, or of any folder, whose files become its projects. */
    import: (archive: NonNullable<RequestInit["body"]>, options: Waiting & { name?: string } = {}) =>
      read(workspaceSchema, "POST", "/workspaces/import", {
        body: archive,
        headers: { "content-type": "application/x-tar" },
        query: { name: options.name },
        ...signalOf(options),
      }),
  };
}
