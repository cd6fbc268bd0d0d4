import type { UpdateWorkspace, Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";

/** Changes of a workspace go one after the other, each from what the one before it has left: limits, network and lifetime are replaced as a whole. */
export function changesOf(workspace: Workspace): { id: string } {
  return { id: `change ${workspace.id}` };
}

/** Changes the workspace at once, also while it runs; the page shows what the server made of it. */
export function useChange(workspace: Workspace) {
  const queryClient = useQueryClient();
  return useMutation({
    scope: changesOf(workspace),
    mutationFn: async (changes: UpdateWorkspace | ((latest: Workspace) => UpdateWorkspace)) =>
      client.workspaces.update(
        workspace.id,
        typeof changes === "function" ? changes(await client.workspaces.get(workspace.id)) : changes,
      ),
    onSuccess: (changed) =>
      queryClient.setQueryData(queries.workspace(workspace.name).queryKey, (old) => withFigures(changed, old)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["workspaces"] }),
  });
}

/** The answer to a change tells no figures: those that were read last stay until the next ones. */
export function withFigures(changed: Workspace, old: Workspace | undefined): Workspace {
  return { ...changed, usage: changed.usage ?? old?.usage ?? null };
}

/** Starts, stops or restarts the box. */
export function usePower(workspace: Workspace) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (action: "wake" | "sleep" | "restart") => {
      if (action !== "wake") await client.workspaces.stop(workspace.id);
      if (action !== "sleep") await client.workspaces.start(workspace.id);
    },
    onSettled: () =>
      Promise.all([["workspace"], ["workspaces"]].map((queryKey) => queryClient.invalidateQueries({ queryKey }))),
  });
}
