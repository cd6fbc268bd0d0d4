import {
  boxPlace,
  configDirectory,
  installedFolder,
  nodeProgram,
  openaiModels,
  type AgentDefinition,
  type LaunchWish,
} from "./definition.ts";

const name = "codex";
const version = "2.6.0";
/** The adapter would take any newer patch. */
const codexVersion = "0.166.0";

const program: AgentDefinition["program"] = (arch) => {
  const target = arch === "x64" ? "x86_64-unknown-linux-musl" : "aarch64-unknown-linux-musl";
  return `node_modules/@openai/codex-linux-${arch}/vendor/${target}/bin/codex`;
};

/** Codex, through its adapter to the Agent Client Protocol. */
export const codex: AgentDefinition = {
  name,
  title: "Codex",
  monogram: "Cx",
  version,
  packages: () => [`@agentclientprotocol/codex-acp@${version}`, `@openai/codex@${codexVersion}`],
  program,
  providers: ["openai"],
  models: openaiModels,
  launch(wish, place = boxPlace) {
    const folder = installedFolder(place, { name, version });
    return {
      name,
      command: [nodeProgram(place), `${folder}/node_modules/@agentclientprotocol/codex-acp/dist/index.js`],
      env: {
        CODEX_HOME: `${place.workspace}/${configDirectory(name)}`,
        CODEX_PATH: `${folder}/${program(place.arch)}`,
        [tokenVariable]: wish.token,
      },
      configDirectory: configDirectory(name),
      configFiles: [{ path: "config.toml", content: formatConfig(wish) }],
      modes: { process: "agent-full-access", ask: "read-only", plan: "read-only" },
    };
  },
};

const tokenVariable = "ALCOVE_MODEL_TOKEN";

/** Codex's own sandbox cannot work inside a box and is not needed there. */
function formatConfig(wish: LaunchWish): string {
  return `${wish.model === null ? "" : `model = ${JSON.stringify(wish.model)}\n`}model_provider = "alcove"
sandbox_mode = "danger-full-access"
approval_policy = "never"
check_for_update_on_startup = false

[model_providers.alcove]
name = "Alcove"
base_url = ${JSON.stringify(wish.gateway.openai)}
env_key = "${tokenVariable}"
wire_api = "responses"
request_max_retries = 2
stream_max_retries = 2

[analytics]
enabled = false

[feedback]
enabled = false

[features]
plugins = false
apps = false
unbounded_connection_retries = false
`;
}
