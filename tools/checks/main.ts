import { availableParallelism } from "node:os";
import { run, runPackage, projectFiles } from "../project.ts";
import { findErrorDocumentProblems, writeErrorDocument } from "./error-document.ts";
import { findLongFiles } from "./file-length.ts";
import { findLayerProblems } from "./layers.ts";

/** A check gives the problems it finds, as text; nothing when all is well. */
type Check = { name: string; find: () => Promise<string> };

const tool = (path: string, args: string[]) => async () => {
  const { exitCode, output } = await runPackage(path, args);
  return exitCode === 0 ? "" : output.trim() || `exit code ${exitCode}`;
};

const lines = (find: () => Promise<string[]>) => async () => (await find()).join("\n");

async function checks(): Promise<Check[]> {
  const configs = (await projectFiles("tsconfig*.json", "**/tsconfig*.json")).filter(
    (path) => !path.endsWith("base.json"),
  );
  return [
    { name: "lint", find: tool("oxlint/bin/oxlint", []) },
    { name: "unused code", find: tool("knip/bin/knip.js", ["--no-progress"]) },
    ...configs.map((path) => ({ name: `types ${path}`, find: tool("typescript/bin/tsc", ["-p", path]) })),
    { name: "format", find: tool("oxfmt/bin/oxfmt", ["--check", "."]) },
    { name: "import layers", find: lines(findLayerProblems) },
    { name: "file length", find: lines(findLongFiles) },
    { name: "error catalogue", find: lines(findErrorDocumentProblems) },
  ];
}

async function mend(): Promise<void> {
  await writeErrorDocument();
  await runPackage("oxlint/bin/oxlint", ["--fix"]);
  await runPackage("oxfmt/bin/oxfmt", ["."]);
}

async function checkAll(): Promise<number> {
  const waiting = await checks();
  let failed = 0;
  async function worker(): Promise<void> {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const begun = performance.now();
      const problems = await check.find();
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      console.log(`${problems === "" ? "✓" : "✗"} ${check.name} (${seconds} s)`);
      if (problems === "") continue;
      failed++;
      console.log(problems.replace(/^/gm, "    "));
    }
  }
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  return failed;
}

if (process.argv.includes("--fix")) await mend();
const inGit = (await run("git", ["rev-parse", "--git-dir"])).exitCode === 0;
if (!inGit) throw new Error("The checks need the project's git folder: they look at the files that git tracks.");
const failed = await checkAll();
if (failed > 0) console.log(`${failed} ${failed === 1 ? "check" : "checks"} failed`);
process.exitCode = failed === 0 ? 0 : 1;
