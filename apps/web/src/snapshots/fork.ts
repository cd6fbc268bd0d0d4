import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";

/** Makes a workspace of its own out of a snapshot, or of the files as they are, and opens it. */
export function useFork(workspace: Workspace) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (snapshot: string | null) =>
      client.workspaces.fork(workspace.id, snapshot === null ? {} : { snapshot }),
    onSuccess: async (fork) => {
      queryClient.setQueryData(queries.workspace(fork.name).queryKey, fork);
      void queryClient.invalidateQueries({ queryKey: ["workspaces"] });
      await navigate({ to: "/workspaces/$name", params: { name: fork.name }, search: {} });
    },
  });
}
