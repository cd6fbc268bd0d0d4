import { client } from "../live/client.ts";

/** Where a new conversation works: in the workspace that is open, in a copy of it, or in a new one. */
export type Where = "here" | "fork" | "fresh";

export const wheres: { value: Where; label: string; note: (workspace: string) => string }[] = [
  {
    value: "here",
    label: "In this workspace",
    note: (workspace) => `An agent does it in ${workspace}. You see every step, and each turn can be undone.`,
  },
  {
    value: "fork",
    label: "In a fork",
    note: (workspace) => `In a copy with all its files, made when you send. ${workspace} stays as it is.`,
  },
  {
    value: "fresh",
    label: "In a fresh one",
    note: () => "In a new workspace of its own, made when you send.",
  },
];

/** The workspace that a run is sent to; null for one that the server makes. */
export async function workspaceFor(where: Where, workspace: string | null): Promise<string | null> {
  if (where === "fresh" || workspace === null) return null;
  if (where === "here") return workspace;
  const fork = await client.workspaces.fork(workspace);
  return fork.id;
}
