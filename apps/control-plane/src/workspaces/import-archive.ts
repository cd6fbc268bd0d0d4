import type { Readable } from "node:stream";
import { boxExecLineSchema } from "@alcove/contract/box/exec";
import { CodedError } from "@alcove/contract/errors";
import type { BoxClient } from "../box/box-client.ts";
import type { WorkspaceRow, WorkspaceStore } from "./workspace-store.ts";
import type { Workspaces } from "./workspaces.ts";

const archivePath = "system/backups/import.tar";
/** Unpacked as the box's user inside the box: whatever the archive's names and links say, nothing of the host is in reach, and the disk has its limit. */
const unpack = [
  "set -e",
  "mkdir -p /workspace/system/backups/import",
  // A folder that nobody may write to, as of Go's modules, is emptied all the same.
  `trap 'ended=$?; chmod -R u+rwX /workspace/system/backups/import 2> /dev/null; rm -rf /workspace/system/backups/import /workspace/${archivePath}; exit $ended' EXIT`,
  `tar --extract --file /workspace/${archivePath} --directory /workspace/system/backups/import --no-same-owner --delay-directory-restore`,
  // An export holds a folder of projects; what holds none is the content of one, as a download of all projects is.
  "target=/workspace/user/projects/",
  "[ ! -d /workspace/system/backups/import/projects ] || target=/workspace/user/",
  'cp --archive --no-preserve=ownership /workspace/system/backups/import/. "$target"',
].join("\n");

export interface ArchiveImports {
  /**
   * A new workspace with the files of a tar archive: of an export, or of any folder, whose files become its projects. It is deleted again when that
   * fails. Codes: `archive_invalid`, `workspace_full`, `name_taken`.
   */
  import(wish: {
    owner: string;
    name: string | undefined;
    archive: Readable;
    signal: AbortSignal;
  }): Promise<WorkspaceRow>;
  /** Deletes what a replica that is gone left half filled. */
  takeOver(dead: string): Promise<void>;
}

export function createArchiveImports({
  workspaces,
  store,
  replica,
}: {
  workspaces: Workspaces;
  store: WorkspaceStore;
  replica: string;
}): ArchiveImports {
  return {
    async import({ owner, name, archive, signal }) {
      const row = await workspaces.create(owner, { name, importedBy: replica });
      try {
        const box = await workspaces.box(row.id, signal);
        const path = `/v1/files/${archivePath}?parents=true`;
        (await box.request({ method: "PUT", path, body: archive, signal })).resume();
        await unpackInBox(box, signal);
        return (await store.update(row.id, { importedBy: null })) ?? row;
      } catch (error) {
        await workspaces.remove(row);
        throw error;
      }
    },

    async takeOver(dead) {
      for (const row of await store.importedBy(dead)) await workspaces.remove(row);
    },
  };
}

async function unpackInBox(box: BoxClient, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ command: ["sh", "-c", unpack] });
  const headers = { "content-type": "application/json" };
  let errors = "";
  for await (const line of box.lines(boxExecLineSchema, { method: "POST", path: "/v1/exec", headers, body, signal })) {
    if (line.kind === "stderr") errors = `${errors}${line.data}`.slice(-2_000);
    if (line.kind !== "exit" || line.exitCode === 0) continue;
    if (/No space left|quota exceeded/i.test(errors))
      throw new CodedError(
        "workspace_full",
        "Cannot import the archive: its files are larger than the workspace may be",
      );
    throw new CodedError("archive_invalid", `Cannot import the archive: ${reasonOf(errors)}`);
  }
}

/** The last line that names a reason; tar(1) ends with what follows from it. */
function reasonOf(errors: string): string {
  const lines = errors.split("\n").filter((line) => line.trim() !== "");
  const isReason = (line: string) =>
    !/Exiting with failure status|Error is not recoverable|Skipping to next header/.test(line);
  return lines.findLast(isReason) ?? lines.at(-1) ?? "tar failed";
}
