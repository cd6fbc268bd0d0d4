import type { Agent } from "@alcove/contract/api/agent";
import type { AgentLaunch } from "@alcove/contract/box/run";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import { defaultModel, offeredModels } from "./model-choice.ts";
import type { Log } from "../log/log.ts";
import type { Providers, ResolvedProvider } from "../providers/providers.ts";
import type { AgentDefinition, LaunchWish } from "./definition.ts";
import type { AgentInstaller } from "./install.ts";

/** The agents that this server offers, with how far each is installed. */
export interface AgentShelf {
  readonly defaultName: string;
  /** `agent_unknown`. */
  require(name: string): AgentDefinition;
  isInstalled(name: string): Promise<boolean>;
  install(name: string, signal: AbortSignal): Promise<void>;
  /** Begins to install and answers at once. */
  beginInstall(owner: string, name: string): Promise<Agent>;
  /** The model to ask for with this provider when the user names none; null leaves it to the agent. */
  modelFor(name: string, provider: ResolvedProvider): string | null;
  launch(wish: LaunchWish & { readonly agent: string }): AgentLaunch;
  list(owner: string): Promise<Agent[]>;
}

type Installation =
  | { readonly state: "installing"; percent: number; text: string }
  | { readonly state: "failed"; readonly error: CodedError };

interface Parts {
  readonly definitions: readonly AgentDefinition[];
  readonly installer: AgentInstaller;
  readonly providers: Providers;
  /** Tells everybody that an agent's state changed. */
  readonly onChange: (agent: string) => void;
  readonly stopping: AbortSignal;
  readonly log: Log;
}

export function createAgentShelf({ definitions, installer, providers, onChange, stopping, log }: Parts): AgentShelf {
  const installations = new Map<string, Installation>();
  const [first] = definitions;
  if (!first) throw new Error("a server offers at least one agent");

  const require = (name: string): AgentDefinition => {
    const found = definitions.find((definition) => definition.name === name);
    if (found) return found;
    const known = definitions.map((definition) => definition.name).join(", ");
    throw new CodedError("agent_unknown", `There is no agent "${name.slice(0, 80)}". There are: ${known}.`);
  };

  const install = async (name: string, signal: AbortSignal): Promise<void> => {
    const definition = require(name);
    const installation: Installation = { state: "installing", percent: 0, text: "Starting" };
    installations.set(name, installation);
    onChange(name);
    try {
      await installer.install(
        definition,
        (percent, text) => {
          installation.percent = Math.round(percent);
          installation.text = text;
          onChange(name);
        },
        signal,
      );
      installations.delete(name);
    } catch (error) {
      if (signal.aborted) installations.delete(name);
      else installations.set(name, { state: "failed", error: toCodedError(error) });
      throw error;
    } finally {
      onChange(name);
    }
  };

  const view = async (owner: string, definition: AgentDefinition): Promise<Agent> => {
    const installation = installations.get(definition.name);
    const provider = await providers.choose(owner, definition.providers);
    const installed = installation === undefined && (await installer.isInstalled(definition));
    const { name, title, monogram, version } = definition;
    const failure = installation?.state === "failed" ? installation.error : undefined;
    return {
      name,
      title,
      monogram,
      version,
      state: installation?.state ?? (installed ? "ready" : "available"),
      error: failure ? { code: failure.code, detail: failure.message, hint: failure.hint } : null,
      progress:
        installation?.state === "installing" ? { percent: installation.percent, text: installation.text } : null,
      providers: [...definition.providers],
      provider: provider?.name ?? null,
      models: provider
        ? offeredModels(definition, provider)
        : definition.models.map(({ id, title: label }) => ({ id, title: label })),
      defaultModel: provider ? defaultModel(definition, provider) : null,
    };
  };

  return {
    defaultName: first.name,
    require,
    install,
    isInstalled: (name) => installer.isInstalled(require(name)),
    modelFor: (name, provider) => defaultModel(require(name), provider),
    launch: ({ agent, ...wish }) => require(agent).launch(wish),
    list: (owner) => Promise.all(definitions.map((definition) => view(owner, definition))),
    async beginInstall(owner, name) {
      const definition = require(name);
      if (installations.get(name)?.state !== "installing" && !(await installer.isInstalled(definition))) {
        install(name, stopping).catch((error: unknown) =>
          log.warn({ err: error, agent: name }, "an agent was not installed"),
        );
      }
      return view(owner, definition);
    },
  };
}
