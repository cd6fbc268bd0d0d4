import { cp, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { inProject, ownBun, packageProgram, run } from "../project.ts";

/** Something that is built from sources of this project into a folder. */
export type Part = {
  name: string;
  /** Files and folders that the result depends on, beside the lock file. */
  sources: string[];
  build(output: string): Promise<void>;
};

const packages = ["packages/contract/src", "packages/base/src", "packages/sdk/src"];

export const parts = [
  {
    name: "web",
    sources: ["apps/web", ...packages],
    build: (output) =>
      must(process.execPath, [
        packageProgram("vite/bin/vite.js"),
        "build",
        "apps/web",
        "--outDir",
        output,
        "--emptyOutDir",
        "--logLevel",
        "warn",
      ]),
  },
  {
    name: "box-daemon",
    sources: ["apps/box-daemon", ...packages],
    build: (output) => must(ownBun, [inProject("apps/box-daemon/build.ts"), output]),
  },
  {
    name: "host",
    sources: ["apps/host", ...packages],
    async build(output) {
      await bundle("apps/host/src/main.ts", "bun", output);
      for (const thread of ["boxes/launch-thread", "network/network-thread", "volumes/tree-thread"])
        await bundle(`apps/host/src/${thread}.ts`, "bun", output);
    },
  },
  {
    name: "control-plane",
    sources: ["apps/control-plane", ...packages],
    async build(output) {
      await bundle("apps/control-plane/src/main.ts", "node", output);
      await cp(inProject("apps/control-plane/src/database/migrations"), join(output, "migrations"), {
        recursive: true,
      });
    },
  },
  {
    name: "cli",
    sources: ["apps/cli", ...packages],
    build: (output) => bundle("apps/cli/src/main.ts", "node", output),
  },
] as const satisfies Part[];

export type PartName = (typeof parts)[number]["name"];

/** Packages that DBOS loads only when its own telemetry export is switched on, which it is not, and one of dockerode's way over SSH; they are not installed or not built. */
const neverLoaded = [
  "@opentelemetry/api",
  "@opentelemetry/context-async-hooks",
  "@opentelemetry/core",
  "@opentelemetry/exporter-logs-otlp-proto",
  "@opentelemetry/exporter-trace-otlp-proto",
  "@opentelemetry/sdk-logs",
  "@opentelemetry/sdk-trace-base",
  "cpu-features",
  "winston",
  "winston-transport",
];

/**
 * One file, `main.mjs` of `main.ts`, with everything in it, so that it runs from a folder without node_modules. Bun reads all of a file at its start: what is only
 * imported when it is needed lies beside it.
 */
async function bundle(entry: string, target: "node" | "bun", output: string): Promise<void> {
  await must(ownBun, [
    "build",
    inProject(entry),
    `--target=${target}`,
    "--packages=bundle",
    ...(target === "bun" ? ["--splitting"] : []),
    ...neverLoaded.flatMap((name) => ["--external", name]),
    "--outdir",
    output,
  ]);
  const name = basename(entry, ".ts");
  await rename(join(output, `${name}.js`), join(output, `${name}.mjs`));
}

async function must(file: string, args: string[]): Promise<void> {
  const { exitCode, output } = await run(file, args, { ...process.env, NODE_ENV: "production" });
  if (exitCode !== 0) throw new Error(`The build failed: ${[file, ...args].join(" ")}\n${output}`);
}
