import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ownNode } from "../node24.mjs";

const root = new URL("../../", import.meta.url);

/** Installs the npm packages unless node_modules holds exactly what the lock file names. Ends the process when that fails. */
export async function installNpmPackages() {
  if (isInstalled(readLock("package-lock.json"), readLock("node_modules/.package-lock.json"))) return;
  const begun = performance.now();
  process.stdout.write("  npm packages …");
  const { exitCode, output } = await runNpm([
    "ci",
    "--ignore-scripts",
    "--include=dev",
    "--include=optional",
    "--no-audit",
    "--no-fund",
  ]);
  process.stdout.write(
    `\r${exitCode === 0 ? "✓" : "✗"} npm packages (${((performance.now() - begun) / 1000).toFixed(1)} s)\n`,
  );
  if (exitCode === 0 && existsSync(ownNode)) return;
  console.error(output.trim() || `The package node-linux-${process.arch} was not installed.`);
  console.error(
    "The npm packages could not be installed. Check that this machine reaches the npm registry, then run `npm start` again.",
  );
  process.exit(1);
}

/**
 * True when every package that the lock file wants here is there in that version. Packages for other processors may be missing.
 * @param {Lock | null} wanted
 * @param {Lock | null} present
 */
export function isInstalled(wanted, present) {
  if (!wanted || !present || !existsSync(ownNode)) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (!path.includes("node_modules/") || entry.link || entry.optional || entry.peer) return true;
    return present.packages[path]?.version === entry.version;
  });
}

/**
 * @typedef {{ packages: Record<string, { version?: string, link?: boolean, optional?: boolean, peer?: boolean }> }} Lock
 * @param {string} path
 * @returns {Lock | null}
 */
function readLock(path) {
  const url = new URL(path, root);
  return existsSync(url) ? JSON.parse(readFileSync(url, "utf8")) : null;
}

/** @param {string[]} args */
function runNpm(args) {
  const ownCli = process.env["npm_execpath"];
  const [file, first] = ownCli?.endsWith(".js") ? [process.execPath, [ownCli]] : ["npm", []];
  const child = spawn(file, [...first, ...args], { cwd: fileURLToPath(root), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  child.stderr.on("data", (text) => (output += text));
  return new Promise((/** @type {(outcome: { exitCode: number, output: string }) => void} */ resolve) => {
    child.on("error", (error) => resolve({ exitCode: 1, output: error.message }));
    child.on("close", (code) => resolve({ exitCode: code ?? 1, output }));
  });
}
