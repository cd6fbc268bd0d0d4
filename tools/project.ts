import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const projectRoot = fileURLToPath(new URL("../", import.meta.url)).replace(/\/$/, "");

/** Path of a file below the project's folder. */
export const inProject = (...parts: string[]) => join(projectRoot, ...parts);

/** Path of a program of a package in node_modules, to be run by Node. */
export const packageProgram = (path: string) => inProject("node_modules", path);

const bunPackage = process.arch === "arm64" ? "bun-linux-aarch64" : "bun-linux-x64-baseline";
/** Path of the project's own Bun; the baseline build also runs on processors without AVX2. */
export const ownBun = packageProgram(`@oven/${bunPackage}/bin/bun`);

export type Outcome = { exitCode: number; output: string };

/** Runs a program in the project's folder and gives what it wrote to both outputs, and its exit code (128 and more when a signal ended it). */
export function run(file: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  const child = spawn(file, args, { cwd: projectRoot, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject).once("close", (code) => resolve({ exitCode: code ?? 128, output }));
  });
}

/** Runs a Node program of a package in node_modules. */
export const runPackage = (path: string, args: string[]) => run(process.execPath, [packageProgram(path), ...args]);

/** Files that belong to the project: those that git tracks or would track. Paths are relative to the project's folder. */
export async function projectFiles(...patterns: string[]): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", ...patterns];
  const listed = await run("git", args);
  const deleted = await run("git", ["ls-files", "-z", "--deleted", "--", ...patterns]);
  if (listed.exitCode !== 0) throw new Error(`git cannot list the project's files: ${listed.output}`);
  const gone = new Set(deleted.output.split("\0"));
  return listed.output.split("\0").filter((path) => path !== "" && !gone.has(path));
}

export const readProjectFile = (path: string) => readFile(inProject(path), "utf8");

/** Of the npm package in the folder. */
export async function packageVersion(folder: string): Promise<string> {
  const version = /"version":\s*"([^"]+)"/.exec(await readFile(join(folder, "package.json"), "utf8"))?.[1];
  if (version === undefined) throw new Error(`${folder} has no version`);
  return version;
}
