import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { CodedError, isErrorCode } from "../../packages/contract/src/errors.ts";
import { type Child, launch } from "./child.ts";
import type { Owner } from "./data-directory.ts";
import type { Version } from "./install.ts";
import type { Settings } from "./settings.ts";

/** What the control plane says once on the descriptor ALCOVE_READY_FD. */
const readinessSchema = z.union([
  z.object({ ready: z.object({ address: z.string(), signInLink: z.string().nullable() }) }),
  z.object({ failed: z.object({ code: z.string(), detail: z.string(), hint: z.string() }) }),
]);

export type Ready = { address: string; signInLink: string | null };

/** Starts the control plane of this version as its own user. */
export function launchControlPlane(settings: Settings, version: Version, owner: Owner): Promise<Child> {
  const { data } = settings;
  return launch({
    file: join(version.folder, "node", "bin", "node"),
    // A small machine has better uses for 150 MB than source maps and a roomy heap; the bundle is not minified, so traces are readable.
    args: ["--optimize-for-size", "--max-semi-space-size=1", join(version.folder, "control-plane", "main.mjs")],
    env: {
      ...inheritedEnvironment(process.env),
      HOME: join(data, "home"),
      NODE_ENV: "production",
      ALCOVE_DATA: data,
      ALCOVE_HOST: settings.host,
      ALCOVE_PORT: String(settings.port),
      ALCOVE_HOST_SOCKET: join(data, "run", "host.sock"),
      ALCOVE_WEB: join(version.folder, "web"),
      ALCOVE_OPT: join(data, "opt"),
      ALCOVE_NODE: join(version.folder, "node", "bin", "node"),
      ALCOVE_NPM_CLI: join(version.folder, "npm", "bin", "npm-cli.js"),
      ALCOVE_POSTGRES_BIN: join(version.folder, "postgres"),
      ALCOVE_VERSION: version.name,
      ALCOVE_READY_FD: "3",
    },
    owner: settings.root ? owner : undefined,
    cwd: data,
    logFile: join(data, "logs", "control-plane.log"),
  });
}

/** Waits until the control plane serves. Gives the coded failure that it reports, or `internal` when it ends without a word. */
export async function waitUntilReady(child: Child, logFile: string): Promise<Ready> {
  for await (const line of createInterface({ input: child.readiness })) {
    const said = readinessSchema.parse(JSON.parse(line));
    if ("ready" in said) return said.ready;
    const { code, detail, hint } = said.failed;
    throw new CodedError(isErrorCode(code) ? code : "internal", detail, { hint });
  }
  const { exitCode, signal } = await child.ended;
  throw new CodedError("internal", `The control plane ended while it started (${signal ?? `exit code ${exitCode}`}).`, {
    hint: `Read the end of ${logFile}.`,
  });
}

/** npm describes itself to the programs that it runs; of that only how the registry is reached is meant for others. */
const npmSettingsToKeep = new Set([
  "npm_config_registry",
  "npm_config_proxy",
  "npm_config_https_proxy",
  "npm_config_noproxy",
  "npm_config_cafile",
]);
const personal = new Set([
  "INIT_CWD",
  "NODE",
  "USER",
  "LOGNAME",
  "MAIL",
  "PWD",
  "OLDPWD",
  "SUDO_USER",
  "SUDO_UID",
  "SUDO_GID",
  "SUDO_COMMAND",
]);

/** The environment of the start without what belongs to npm and to the user's session. */
export function inheritedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) =>
      npmSettingsToKeep.has(name.toLowerCase()) ||
      !(/^npm_/i.test(name) || name.startsWith("XDG_") || personal.has(name)),
  );
  return Object.fromEntries(kept);
}
