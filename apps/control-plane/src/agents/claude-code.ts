import {
  anthropicModels,
  boxPlace,
  configDirectory,
  installedFolder,
  nodeProgram,
  type AgentDefinition,
} from "./definition.ts";

const name = "claude-code";
const version = "0.100.0";

const program: AgentDefinition["program"] = (arch) =>
  `node_modules/@anthropic-ai/claude-agent-sdk-linux-${arch}/claude`;

/** Claude Code, through its adapter to the Agent Client Protocol. */
export const claudeCode: AgentDefinition = {
  name,
  title: "Claude Code",
  monogram: "CC",
  version,
  packages: () => [`@agentclientprotocol/claude-agent-acp@${version}`],
  program,
  providers: ["anthropic"],
  models: anthropicModels,
  launch(wish, place = boxPlace) {
    const folder = installedFolder(place, { name, version });
    return {
      name,
      command: [nodeProgram(place), `${folder}/node_modules/@agentclientprotocol/claude-agent-acp/dist/index.js`],
      env: {
        ANTHROPIC_BASE_URL: wish.gateway.anthropic,
        ANTHROPIC_AUTH_TOKEN: wish.token,
        ...(wish.model !== null && { ANTHROPIC_MODEL: wish.model }),
        CLAUDE_CODE_EXECUTABLE: `${folder}/${program(place.arch)}`,
        CLAUDE_CONFIG_DIR: `${place.workspace}/${configDirectory(name)}`,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        // Its running commentary goes to a file; what it prints as an error is one.
        CLAUDE_AGENT_LOGS: `${place.workspace}/${configDirectory(name)}/logs`,
        // A refused token would otherwise be tried for minutes.
        CLAUDE_CODE_MAX_RETRIES: "2",
        // The box is the sandbox; without this, a box whose user is root could not work unattended.
        IS_SANDBOX: "1",
      },
      configDirectory: configDirectory(name),
      modes: { process: "bypassPermissions", ask: "default", plan: "plan" },
    };
  },
};
