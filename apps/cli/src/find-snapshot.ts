import { CodedError } from "@alcove/contract/errors";
import { isId } from "@alcove/contract/ids";
import type { Client } from "@alcove/sdk/client";

/** The id of the snapshot that has this id, or the newest that was given this name. Code: `not_found`. */
export async function findSnapshot(client: Client, workspace: string, name: string): Promise<string> {
  if (isId("snapshot", name)) return name;
  const { items } = await client.workspaces.snapshots(workspace);
  const [newest] = items
    .filter((snapshot) => snapshot.name === name)
    .toSorted((left, right) => right.createdAt.localeCompare(left.createdAt));
  if (newest) return newest.id;
  throw new CodedError("not_found", `"${workspace}" has no snapshot "${name}".`, {
    hint: `\`alcove snapshot ls ${workspace}\` lists them.`,
  });
}
