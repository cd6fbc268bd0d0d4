import type { Agent } from "@alcove/contract/api/agent";
import { runModeSchema } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import type { z } from "zod";
import { queries } from "../live/queries.ts";
import { useStored } from "../shell/stored.ts";

export type Mode = z.infer<typeof runModeSchema>;

export const modes: { value: Mode; label: string; short: string; note: string }[] = [
  { value: "process", label: "Do the work", short: "Do", note: "Changes files and runs commands" },
  { value: "ask", label: "Ask first", short: "Ask", note: "Asks before it changes or runs something" },
  { value: "plan", label: "Plan only", short: "Plan", note: "Reads and plans, changes nothing" },
];

export interface Choices {
  agents: Agent[];
  agent: Agent | null;
  model: string | null;
  mode: Mode;
  setAgent: (name: string) => void;
  setModel: (id: string) => void;
  setMode: (mode: string) => void;
  /** Why nothing can be sent; null when it can. */
  obstacle: "loading" | "no_model" | "agent_without_model" | null;
}

/** The chosen agent, model and mode: the session's agent where there is one, otherwise what was chosen last. */
export function useChoices(sessionAgent: string | null): Choices {
  const query = useQuery(queries.agents());
  const [storedAgent, setAgent] = useStored("agent");
  const agents = query.data?.items ?? [];
  const named = (name: string | null) => agents.find((agent) => agent.name === name);
  const agent =
    named(sessionAgent) ?? named(storedAgent) ?? agents.find((other) => other.provider !== null) ?? agents[0] ?? null;
  const [storedModel, setModel] = useStored(`model.${agent?.name ?? ""}`);
  const [storedMode, setMode] = useStored("mode");
  const mode = runModeSchema.safeParse(storedMode);
  const model = agent?.models.some((other) => other.id === storedModel) ? storedModel : (agent?.defaultModel ?? null);
  return {
    agents,
    agent,
    model,
    mode: mode.success ? mode.data : "process",
    setAgent,
    setModel,
    setMode,
    obstacle: obstacleOf(query.isPending, agents, agent),
  };
}

function obstacleOf(pending: boolean, agents: Agent[], agent: Agent | null): Choices["obstacle"] {
  if (pending) return "loading";
  if (!agents.some((other) => other.provider !== null)) return "no_model";
  return agent?.provider == null ? "agent_without_model" : null;
}
