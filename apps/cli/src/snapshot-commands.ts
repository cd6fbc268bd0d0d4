import { CodedError } from "@alcove/contract/errors";
import type { Client } from "@alcove/sdk/client";
import type { Command } from "commander";
import { findSnapshot } from "./find-snapshot.ts";
import { formatAge, formatTable, printable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const marks = { added: "A", modified: "M", deleted: "D" } as const;

/** `alcove snapshot …`: a snapshot is named by its id or by the name that it was given, the newest of that name. */
export function addSnapshotCommands(group: Command, client: () => Promise<Client>, terminal: Terminal): void {
  group
    .command("ls")
    .description("list a workspace's snapshots, the newest first")
    .argument("<workspace>", "name or id")
    .option("--json", "print JSON", false)
    .action(async (workspace: string, { json }: { json: boolean }) => {
      const { items } = await (await client()).workspaces.snapshots(workspace);
      if (json) return terminal.write(`${JSON.stringify(items)}\n`);
      const now = new Date();
      const rows = items.map(({ id, name, run, createdAt }) => [
        id,
        name ?? (run === null ? "" : "before or after a run"),
        formatAge(createdAt, now),
      ]);
      terminal.write(formatTable(["id", "name", "age"], rows));
    });
  group
    .command("take")
    .description("take a snapshot of a workspace's files as they are now, and print its id; it runs on meanwhile")
    .argument("<workspace>", "name or id")
    .argument("[name]", "what people call it")
    .action(async (workspace: string, name?: string) => {
      const { workspaces } = await client();
      terminal.write(`${(await workspaces.takeSnapshot(workspace, name === undefined ? {} : { name })).id}\n`);
    });
  group
    .command("restore")
    .description("put all files back as a snapshot has them; what was there until then is kept as a snapshot")
    .argument("<workspace>", "name or id")
    .argument("<snapshot>", "id or name")
    .action(async (workspace: string, name: string) => {
      const connected = await client();
      const id = await findSnapshot(connected, workspace, name);
      const { safety } = await connected.workspaces.restore(workspace, id);
      terminal.write(`Restored. To go back: alcove snapshot restore ${workspace} ${safety.id}\n`);
    });
  group
    .command("rm")
    .description("delete snapshots; those before and after them stay whole")
    .argument("<workspace>", "name or id")
    .argument("<snapshot...>", "ids or names")
    .action(async (workspace: string, names: string[]) => {
      const connected = await client();
      for (const name of names)
        await connected.workspaces.deleteSnapshot(workspace, await findSnapshot(connected, workspace, name));
    });
  group
    .command("changes")
    .description("list the files that differ between two snapshots, or between one and now")
    .argument("<workspace>", "name or id")
    .argument("<from>", "id or name")
    .argument("[to]", "id or name; now when left out")
    .option("--json", "print JSON", false)
    .action(async (workspace: string, from: string, to: string | undefined, { json }: { json: boolean }) => {
      const connected = await client();
      const earlier = { from: await findSnapshot(connected, workspace, from) };
      const range = to === undefined ? earlier : { ...earlier, to: await findSnapshot(connected, workspace, to) };
      const { items } = await connected.workspaces.changes(workspace, range);
      if (json) return terminal.write(`${JSON.stringify(items)}\n`);
      for (const { path, change } of items) terminal.write(`${marks[change]} ${printable(path)}\n`);
    });
  group
    .command("diff")
    .description("show what changed in a text file between two snapshots")
    .argument("<workspace>", "name or id")
    .argument("<from>", "id or name")
    .argument("<to>", "id or name")
    .argument("<path>", "path relative to /workspace, as `changes` prints it")
    .action(async (workspace: string, from: string, to: string, path: string) => {
      const connected = await client();
      const earlier = await findSnapshot(connected, workspace, from);
      const range = { from: earlier, to: await findSnapshot(connected, workspace, to), path };
      const { diff, why } = await connected.workspaces.diff(workspace, range);
      if (diff !== null) return terminal.write(printable(diff));
      throw new CodedError("bad_request", `"${path}" is ${why === "binary" ? "not text" : "too large to compare"}.`, {
        hint: "Export both snapshots and compare the files: alcove ws export --snapshot …",
      });
    });
}
