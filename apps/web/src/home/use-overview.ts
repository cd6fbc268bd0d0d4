import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { queries } from "../live/queries.ts";
import { useStored } from "../shell/stored.ts";
import { overviewOf, type Overview } from "./overview.ts";

/** What needs somebody, runs and is done, and how to put a failed run aside. */
export function useOverview(): Overview & { loading: boolean; putAside: (run: string) => void } {
  const approvals = useQuery(queries.approvals());
  const runs = useQuery(queries.recentRuns());
  const [stored, store] = useStored("aside");
  const overview = useMemo(
    () => overviewOf(approvals.data?.items ?? [], runs.data?.items ?? [], new Set(stored?.split(" "))),
    [approvals.data, runs.data, stored],
  );
  // Only the newest are kept: older runs have left the list.
  const putAside = (run: string) => store([run, ...(stored?.split(" ") ?? [])].slice(0, 100).join(" "));
  return { ...overview, loading: approvals.isPending || runs.isPending, putAside };
}

/** Shows the number of things that need somebody in the page's title. */
export function titleOf(page: string, needs: number): string {
  return `${needs > 0 ? `(${needs}) ` : ""}${page} · Alcove`;
}
