import { workspaceSchema } from "@alcove/contract/api/workspace";
import type { QueryClient, QueryKey } from "@tanstack/react-query";

/** Copies of what only a running box can tell; asking for them wakes it. The second part of their keys is the workspace. */
const fromBoxes = new Set<unknown>(["folder", "file", "terminals"]);

/**
 * Reads again whatever may have changed while the line was down. A workspace that went to sleep meanwhile is left asleep: what only its box can
 * tell is read once it is known to run.
 */
export async function refreshAll(queryClient: QueryClient): Promise<void> {
  await queryClient.invalidateQueries({ predicate: ({ queryKey }) => !fromBoxes.has(queryKey[0]) });
  await queryClient.invalidateQueries({
    predicate: ({ queryKey }) => fromBoxes.has(queryKey[0]) && boxRuns(queryClient, queryKey),
  });
}

function boxRuns(queryClient: QueryClient, [, workspace]: QueryKey): boolean {
  const known = workspaceSchema.pick({ box: true }).safeParse(queryClient.getQueryData(["workspace", workspace]));
  return known.success && known.data.box === "running";
}
