import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type UsagePoint, withUsage } from "./usage-history.ts";

/** A new box begins a new history. */
const keyOf = (workspace: string, epoch: number) => ["usage-history", workspace, epoch];
const none: readonly UsagePoint[] = [];

/** Keeps the figures that come by while the workspace is on the screen, whatever pane is shown. */
export function useKeepUsage(workspace: Workspace): void {
  const queryClient = useQueryClient();
  const { id, epoch, usage } = workspace;
  useEffect(() => {
    if (!usage) return;
    queryClient.setQueryData<readonly UsagePoint[]>(keyOf(id, epoch), (history) => withUsage(history ?? none, usage));
  }, [queryClient, id, epoch, usage]);
}

/** The figures of the last minutes, as far as the page has seen them. */
export function useUsageHistory(workspace: Workspace): readonly UsagePoint[] {
  const query = useQuery<readonly UsagePoint[]>({
    queryKey: keyOf(workspace.id, workspace.epoch),
    queryFn: () => none,
    enabled: false,
    staleTime: Infinity,
  });
  return query.data ?? none;
}
