import type { Workspace } from "@alcove/contract/api/workspace";
import type { Agent } from "@alcove/contract/api/agent";
import type { Overview } from "../home/overview.ts";

/** Why a workspace is awake, people first: who waits, who works, then what the server says. */
export function whyOf(workspace: Workspace, overview: Overview, agents: Agent[]): string {
  const titleOf = (name: string) => agents.find((agent) => agent.name === name)?.title ?? name;
  if (workspace.state === "failed" || workspace.box === "failed") return workspace.why;
  const asks = overview.needs.some((need) => need.type === "approval" && need.approval.workspace === workspace.id);
  if (asks) return "Awake: waits for your answer";
  const busy = overview.running.filter((run) => run.workspace === workspace.id && run.state !== "queued");
  const names = [...new Set(busy.map((run) => titleOf(run.agent)))];
  if (names.length === 0) return workspace.why;
  return `Awake: ${names.join(" and ")} ${names.length === 1 ? "is" : "are"} working`;
}
