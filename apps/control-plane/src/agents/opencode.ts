import type { ProviderKind } from "@alcove/contract/api/agent";
import {
  anthropicModels,
  boxPlace,
  configDirectory,
  installedFolder,
  openaiModels,
  type AgentDefinition,
  type Arch,
  type LaunchWish,
} from "./definition.ts";

const name = "opencode";
const version = "1.18.33";

/** The build for older processors runs on every one. */
const packageName = (arch: Arch) => (arch === "x64" ? "opencode-linux-x64-baseline" : "opencode-linux-arm64");
const program: AgentDefinition["program"] = (arch) => `node_modules/${packageName(arch)}/bin/opencode`;

/** opencode, which speaks the Agent Client Protocol itself. */
export const opencode: AgentDefinition = {
  name,
  title: "opencode",
  monogram: "oc",
  version,
  packages: (arch) => [`${packageName(arch)}@${version}`],
  program,
  providers: ["anthropic", "openai", "compatible"],
  models: [...anthropicModels, ...openaiModels],
  launch(wish, place = boxPlace) {
    const folder = installedFolder(place, { name, version });
    const own = `${place.workspace}/${configDirectory(name)}`;
    return {
      name,
      command: [`${folder}/${program(place.arch)}`, "acp"],
      env: {
        OPENCODE_CONFIG_CONTENT: JSON.stringify(formatConfig(wish)),
        OPENCODE_CONFIG_DIR: `${own}/config`,
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
        XDG_DATA_HOME: `${own}/data`,
        XDG_STATE_HOME: `${own}/state`,
        XDG_CACHE_HOME: `${own}/cache`,
      },
      configDirectory: configDirectory(name),
      modes: { process: "build", ask: "build", plan: "plan" },
    };
  },
};

const clients: Readonly<Record<ProviderKind, string>> = {
  anthropic: "@ai-sdk/anthropic",
  openai: "@ai-sdk/openai",
  compatible: "@ai-sdk/openai-compatible",
};

/** The box is the boundary: within it, only what the mode asks for is held back. */
const permissions: Readonly<Record<LaunchWish["mode"], Readonly<Record<string, "allow" | "ask" | "deny">>>> = {
  process: { edit: "allow", bash: "allow", webfetch: "allow" },
  ask: { edit: "ask", bash: "ask", webfetch: "ask" },
  plan: { edit: "deny", bash: "ask", webfetch: "allow" },
};

const provider = "alcove";

function formatConfig(wish: LaunchWish) {
  const model = wish.model ?? opencode.models.find((choice) => choice.provider === wish.provider)?.id ?? null;
  const baseURL = wish.provider === "anthropic" ? `${wish.gateway.anthropic}/v1` : wish.gateway.openai;
  return {
    autoupdate: false,
    share: "disabled",
    enabled_providers: [provider],
    provider: {
      [provider]: {
        npm: clients[wish.provider],
        name: "Alcove",
        options: { baseURL, apiKey: wish.token },
        models: model === null ? {} : { [model]: { name: model, tool_call: true } },
      },
    },
    ...(model !== null && { model: `${provider}/${model}`, small_model: `${provider}/${model}` }),
    permission: { ...permissions[wish.mode], external_directory: "allow", doom_loop: "allow" },
  };
}
