import { workspaceSchema } from "@alcove/contract/api/workspace";
import type { QueryClient, QueryFilters, QueryKey } from "@tanstack/react-query";

/** Copies of what only a running box can tell; asking for them wakes it. The second part of their keys is the workspace. */
const fromBoxes = new Set<unknown>(["folder", "file", "terminals"]);

/**
 * Reads again whatever may have changed while the line was down. A workspace that went to sleep meanwhile is left asleep: what only its box can
 * tell is read once it is known to run.
 */
export async function refreshAll(queryClient: QueryClient): Promise<void> {
  await markStale(queryClient, { predicate: ({ queryKey }) => !fromBoxes.has(queryKey[0]) });
  await markStale(queryClient, {
    predicate: ({ queryKey }) => fromBoxes.has(queryKey[0]) && boxRuns(queryClient, queryKey),
  });
}

/**
 * Reads the copies again, at once where somebody looks at them. A first answer that is on its way may be older than what made them stale, and is not asked for again by the
 * library: it is read once more after it has come.
 */
export async function markStale(queryClient: QueryClient, which: QueryFilters): Promise<void> {
  const beingRead = queryClient
    .getQueryCache()
    .findAll(which)
    .filter(({ state }) => state.data === undefined && state.fetchStatus !== "idle");
  const again = beingRead.map(async (query) => {
    await query.fetch().catch(() => undefined);
    await queryClient.invalidateQueries({ queryKey: query.queryKey, exact: true });
  });
  await Promise.all([queryClient.invalidateQueries(which), ...again]);
}

function boxRuns(queryClient: QueryClient, [, workspace]: QueryKey): boolean {
  const known = workspaceSchema.pick({ box: true }).safeParse(queryClient.getQueryData(["workspace", workspace]));
  return known.success && known.data.box === "running";
}
