import { spawn } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { inProject, projectRoot } from "../project.ts";

/** `npm run bench -- NAME…`: runs bench/NAME.ts, whose last line is one JSON object; all of them, and bench/results.json, without a name. */
const all = (await readdir(inProject("bench")))
  .filter((name) => /^[a-z]+\.ts$/.test(name))
  .map((name) => name.replace(".ts", ""));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}; there are ${all.join(", ")}.`);
  process.exit(2);
}

const results: unknown[] = [];
for (const name of asked.length > 0 ? asked : all) {
  const last = await runBenchmark(name);
  if (last === null) process.exitCode = 1;
  else results.push(JSON.parse(last));
}
if (asked.length === 0) await writeFile(inProject("bench", "results.json"), `${JSON.stringify(results, null, 2)}\n`);

/** The last line that the benchmark writes; null when it fails. */
async function runBenchmark(name: string): Promise<string | null> {
  const child = spawn(process.execPath, [inProject("bench", `${name}.ts`)], {
    cwd: projectRoot,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const exitCode = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  return exitCode === 0 ? (output.trimEnd().split("\n").at(-1) ?? null) : null;
}
