import type { ProviderKind } from "@alcove/contract/api/agent";
import type { AgentLaunch, RunSpec } from "@alcove/contract/box/run";

/** What one run asks of an agent. */
export interface LaunchWish {
  readonly provider: ProviderKind;
  /** Null leaves the choice to the agent. */
  readonly model: string | null;
  readonly mode: RunSpec["mode"];
  /** The run's token: the only credential that the agent gets. */
  readonly token: string;
  /** Base URLs of the model gateway as seen in the box. */
  readonly gateway: { readonly anthropic: string; readonly openai: string };
}

export type Arch = "x64" | "arm64";

/** Where things are in a box. */
export interface Place {
  /** Folder of the workspace. */
  readonly workspace: string;
  /** Folder of what we bring into every box. */
  readonly opt: string;
  readonly arch: Arch;
}

/** Boxes run on the processor of the server. */
export const hostArch: Arch = process.arch === "arm64" ? "arm64" : "x64";

export const boxPlace: Place = { workspace: "/workspace", opt: "/opt/alcove", arch: hostArch };

/** What is known of one agent: which package it is, which providers it can use and how it is started in a box. */
export interface AgentDefinition {
  readonly name: string;
  readonly title: string;
  /** Two letters for its square. */
  readonly monogram: string;
  readonly version: string;
  /** The npm packages to install, each with its exact version. */
  packages(arch: Arch): string[];
  /** A file, relative to the installed folder, without which the agent cannot start. */
  program(arch: Arch): string;
  /** Kinds of provider that it can use, best first. */
  readonly providers: readonly ProviderKind[];
  /** Models to offer, for each kind of provider the default first. */
  readonly models: readonly ModelChoice[];
  launch(wish: LaunchWish, place?: Place): AgentLaunch;
}

export interface ModelChoice {
  readonly id: string;
  readonly title: string;
  readonly provider: ProviderKind;
}

/**
 * The agent's own folder for settings and history, relative to the workspace. It lies in the volume that snapshots, restores and undo leave alone: an
 * agent's database that is put back under a running agent is a broken one.
 */
export function configDirectory(name: string): string {
  return `system/state/agents/${name}`;
}

/** The folder of an installed agent in a box. */
export function installedFolder(place: Place, agent: Pick<AgentDefinition, "name" | "version">): string {
  return `${place.opt}/agents/${agent.name}/${agent.version}`;
}

/** The program `node` in a box. */
export function nodeProgram(place: Place): string {
  return `${place.opt}/node/bin/node`;
}

export const anthropicModels: readonly ModelChoice[] = [
  { id: "claude-sonnet-5-5", title: "Claude Sonnet 5.5", provider: "anthropic" },
  { id: "claude-opus-5-5", title: "Claude Opus 5.5", provider: "anthropic" },
  { id: "claude-haiku-5-5", title: "Claude Haiku 5.5", provider: "anthropic" },
];

export const openaiModels: readonly ModelChoice[] = [
  { id: "gpt-5.5", title: "GPT-5.5", provider: "openai" },
  { id: "gpt-6-astra", title: "GPT-6 Astra", provider: "openai" },
];
