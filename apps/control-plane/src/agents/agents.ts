import { claudeCode } from "./claude-code.ts";
import { codex } from "./codex.ts";
import type { AgentDefinition } from "./definition.ts";
import { opencode } from "./opencode.ts";

/** The agents that the product offers, in the order in which they are shown; the first is the default. */
export const agentDefinitions: readonly AgentDefinition[] = [claudeCode, codex, opencode];
