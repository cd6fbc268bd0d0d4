import { request } from "node:http";
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
const shutdownWithinMs = 20_000;
const modelSecrets = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "DATABASE_URL"];

/** Path of the host process's socket. */
const hostSocket = (data: string) => join(data, "run", "host.sock");

/** Starts the host process of this version with the rights of the start. */
export function launchHost(settings: Settings, version: Version, owner: Owner): Promise<Child> {
  const env = inheritedEnvironment(process.env);
  for (const name of modelSecrets) delete env[name];
  return launch({
    file: join(version.folder, "bun", "bin", "bun"),
    args: [
      join(version.folder, "host", "main.mjs"),
      "--data",
      settings.data,
      "--socket",
      hostSocket(settings.data),
      "--owner",
      `${owner.uid}:${owner.gid}`,
    ],
    env: { ...env, NODE_ENV: "production" },
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
  while (!(await answers(hostSocket(data)))) {
    if (over || performance.now() > deadline)
      throw new CodedError("host_unreachable", "The host process did not start.", {
        hint: `Read the end of ${join(data, "logs", "host.log")}.`,
      });
    await delay(10);
  }
}

/** Asks the host process to stop all boxes and to end; whoever waits for its end makes sure of it. */
export async function shutDownHost(data: string): Promise<void> {
  const body = JSON.stringify({ stopBoxes: true });
  await new Promise<void>((resolve) => {
    const sent = request(
      {
        socketPath: hostSocket(data),
        path: "/v1/shutdown",
        method: "POST",
        headers: { "content-type": "application/json" },
      },
      (answer) => answer.resume().once("close", resolve),
    );
    sent.setTimeout(shutdownWithinMs, () => sent.destroy());
    sent.once("error", () => resolve()).end(body);
  });
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
