import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CodedError } from "../../packages/contract/src/errors.ts";
import { type Child, launch } from "./child.ts";
import { inheritedEnvironment } from "./control-plane.ts";
import type { Owner } from "./data-directory.ts";
import type { Version } from "./install.ts";
import type { Settings } from "./settings.ts";

const readyWithinMs = 30_000;
const modelSecrets = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "DATABASE_URL"];

/** Starts the host process of this version with the rights of the start. */
export function launchHost(settings: Settings, version: Version, owner: Owner): Promise<Child> {
  const env = inheritedEnvironment(process.env);
  for (const name of modelSecrets) delete env[name];
  return launch({
    file: join(version.folder, "bun", "bin", "bun"),
    args: [join(version.folder, "host", "main.mjs")],
    env: {
      ...env,
      NODE_ENV: "production",
      ALCOVE_DATA: settings.data,
      ALCOVE_OWNER_UID: String(owner.uid),
      ALCOVE_OWNER_GID: String(owner.gid),
    },
    owner: undefined,
    cwd: settings.data,
    logFile: join(settings.data, "logs", "host.log"),
  });
}

/** Resolves when the host process takes connections. Gives `host_unreachable` when it ends first or takes too long. */
export async function waitForHost(child: Child, data: string): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  let over = false;
  void child.ended.then(() => (over = true));
  while (!(await answers(join(data, "run", "host.sock")))) {
    if (over || performance.now() > deadline)
      throw new CodedError("host_unreachable", "The host process did not start.", {
        hint: `Read the end of ${join(data, "logs", "host.log")}.`,
      });
    await delay(10);
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
