// Runs a TypeScript program on the Node that the project brings. This file itself runs on any Node from 20 on and needs no packages.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);

/** Path of the project's own Node, which the npm package for this processor holds. */
export const ownNode = fileURLToPath(new URL(`node_modules/node-linux-${process.arch}/bin/node`, root));

/**
 * Runs the program with this process's arguments and ends with its exit code. Signals are handed on; those of the terminal reach it anyway.
 * @param {URL} program
 */
export async function runOnOwnNode(program) {
  if (!existsSync(ownNode)) {
    console.error("The npm packages are missing. Run: npm ci --ignore-scripts");
    process.exit(1);
  }
  const args = [fileURLToPath(program), ...process.argv.slice(2)];
  // Node 22.15 and later can become the program instead of waiting for it.
  if (typeof process.execve === "function") process.execve(ownNode, [ownNode, ...args], process.env);
  const child = spawn(ownNode, args, { stdio: "inherit" });
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  child.on("close", (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
}
