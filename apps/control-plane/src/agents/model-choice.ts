import type { AgentDefinition } from "./definition.ts";
import type { ResolvedProvider } from "../providers/providers.ts";

type Known = Pick<AgentDefinition, "models" | "providers">;
type From = Pick<ResolvedProvider, "kind" | "models">;

const offeredAtMost = 200;
/** OpenAI lists everything that it serves, also what no coding agent can talk to. */
const notForChat = /audio|realtime|image|tts|transcribe|embedding|moderation|whisper|dall-e|sora|search/;
const openaiChat = /^(gpt-|o\d|codex)/;

function listed({ kind, models }: From): string[] {
  if (kind !== "openai") return [...models];
  return models.filter((id) => openaiChat.test(id) && !notForChat.test(id));
}

/** The models to offer: what the provider itself lists, those that we know first; what we know where it lists none. */
export function offeredModels(agent: Known, provider: From): { id: string; title: string }[] {
  const known = agent.models.filter((model) => model.provider === provider.kind);
  const there = new Set(listed(provider));
  if (there.size === 0) return known.map(({ id, title }) => ({ id, title }));
  const first = known.filter(({ id }) => there.has(id));
  const rest = [...there].filter((id) => !first.some((model) => model.id === id)).toSorted();
  return [...first.map(({ id, title }) => ({ id, title })), ...rest.map((id) => ({ id, title: id }))].slice(
    0,
    offeredAtMost,
  );
}

/**
 * The model to ask for when the user names none. Null leaves it to the agent, which knows its own provider best; an agent of many providers has
 * no such knowledge.
 */
export function defaultModel(agent: Known, provider: From): string | null {
  const there = listed(provider);
  const known = agent.models.filter((model) => model.provider === provider.kind);
  const both = known.find(({ id }) => there.includes(id));
  if (both) return both.id;
  if (agent.providers.length === 1) return null;
  return there[0] ?? known[0]?.id ?? null;
}
