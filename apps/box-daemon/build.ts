/** Compiles the daemon to one file that runs in any Linux image with glibc: `bun apps/box-daemon/build.ts OUTPUT`. */
import { rename } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

const output = process.argv[2];
if (output === undefined) {
  process.stderr.write("Usage: bun apps/box-daemon/build.ts OUTPUT\n");
  process.exit(2);
}

const target = resolve(output);
// A running daemon holds its file, so the new one is made beside it and put in its place.
const draft = join(dirname(target), `.alcove-daemon-${process.pid}`);
const built = Bun.spawnSync(
  [
    process.execPath,
    "build",
    "--compile",
    // What is imported later stays in files of its own, or whatever it imports would be loaded at the start.
    "--splitting",
    "--minify",
    "--bytecode",
    "--format=esm",
    join(import.meta.dir, "src/main.ts"),
    "--outfile",
    draft,
  ],
  { cwd: import.meta.dir, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
);
if (!built.success) {
  process.stderr.write(built.stdout.toString() + built.stderr.toString());
  process.exit(1);
}
await rename(draft, target);
