import { spawn } from "node:child_process";
import { buildParts } from "../build/build.ts";
import { boxPackages, installCommand, installPackages, missingPackages } from "../debian-packages.ts";
import { packageProgram, projectRoot } from "../project.ts";

const testPackages = [
  ...boxPackages,
  "chromium",
  "curl",
  "busybox-static",
  "docker.io",
  "git",
  "musl-tools",
  "nix-bin",
  "openssl",
  "ripgrep",
];

async function prepareHost(): Promise<void> {
  const missing = await missingPackages(testPackages);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    console.log(`Some tests need packages that are missing here: ${installCommand(missing)}`);
    return;
  }
  console.log(`Installing ${missing.join(", ")} …`);
  const failure = await installPackages(missing);
  if (failure !== null) console.log(`Not all of them could be installed:\n${failure}`);
}

const args = process.argv.slice(2);
const unitOnly = args.includes("--unit");
if (!unitOnly) await prepareHost();
await buildParts((name) => console.log(`Building ${name} …`));
const selection = unitOnly ? ["--project", "unit"] : [];
const rest = args.filter((arg) => arg !== "--unit");
const vitest = spawn(process.execPath, [packageProgram("vitest/vitest.mjs"), "run", ...selection, ...rest], {
  cwd: projectRoot,
  stdio: ["ignore", "inherit", "inherit"],
});
process.on("SIGTERM", () => vitest.kill("SIGTERM"));
vitest.on("close", (code) => {
  process.exitCode = code ?? 1;
});
