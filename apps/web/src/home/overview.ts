import type { Approval, Run } from "@alcove/contract/api/run";
import type { Workspace } from "@alcove/contract/api/workspace";
import { hasEnded } from "@alcove/contract/api/run";
import type { ArchState } from "../ui/arch.tsx";

export type Need =
  | { type: "approval"; id: string; at: string; approval: Approval }
  | { type: "run"; id: string; at: string; run: Run };

export interface Overview {
  needs: Need[];
  running: Run[];
  finished: Run[];
}

/**
 * What waits for a person, what runs and what is done. A run that failed needs somebody until its conversation has gone on or it was put aside.
 */
export function overviewOf(approvals: Approval[], runs: Run[], aside: ReadonlySet<string>): Overview {
  const newest = new Map<string, Run>();
  for (const run of runs) {
    const other = newest.get(run.session);
    if (!other || other.createdAt < run.createdAt) newest.set(run.session, run);
  }
  const broken = runs.filter(
    (run) =>
      (run.state === "failed" || run.state === "interrupted") && newest.get(run.session) === run && !aside.has(run.id),
  );
  const needs: Need[] = [
    ...approvals
      .filter((approval) => approval.state === "open")
      .map((approval) => ({ type: "approval" as const, id: approval.id, at: approval.createdAt, approval })),
    ...broken.map((run) => ({ type: "run" as const, id: run.id, at: run.endedAt ?? run.createdAt, run })),
  ];
  return {
    needs: needs.toSorted((a, b) => (a.type === b.type ? b.at.localeCompare(a.at) : a.type === "approval" ? -1 : 1)),
    running: runs.filter((run) => !hasEnded(run.state)).toSorted((a, b) => b.createdAt.localeCompare(a.createdAt)),
    finished: runs
      .filter((run) => hasEnded(run.state) && !broken.includes(run))
      .toSorted((a, b) => (b.endedAt ?? b.createdAt).localeCompare(a.endedAt ?? a.createdAt)),
  };
}

/** The state that a workspace's arch shows: people first, then machines. */
export function archOf(workspace: Workspace, overview: Overview): ArchState {
  if (workspace.state === "failed" || workspace.box === "failed") return "failed";
  if (overview.needs.some((need) => need.type === "approval" && need.approval.workspace === workspace.id))
    return "waiting";
  if (overview.running.some((run) => run.workspace === workspace.id)) return "running";
  if (workspace.state === "creating" || workspace.box === "starting") return "running";
  return workspace.box === "running" ? "idle" : "asleep";
}

const archWords: Record<ArchState, string> = {
  running: "Running",
  waiting: "Waiting for you",
  failed: "Failed",
  done: "Done",
  idle: "Awake",
  asleep: "Asleep",
};

/** The word that stands beside an arch. */
export function archWord(state: ArchState): string {
  return archWords[state];
}

/** The word for a workspace: a frozen one is asleep with its programs in memory. */
export function stateWord(workspace: Workspace, state: ArchState): string {
  return workspace.box === "frozen" && state === "asleep" ? "Frozen" : archWord(state);
}

/** What runs of this day cost; null when the list does not reach back to its beginning. */
export function spentToday(runs: Run[], complete: boolean, now: number): number | null {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const today = runs.filter((run) => Date.parse(run.createdAt) >= midnight);
  if (!complete && today.length === runs.length) return null;
  return today.reduce((sum, run) => sum + (run.costUsd ?? 0), 0);
}
