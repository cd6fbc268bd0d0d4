/**
 * Makes the folder that boxes see as /opt/alcove/bin, `bun apps/box-daemon/build.ts FOLDER`: the daemon, compiled to one file that runs in any Linux image with
 * glibc, and in `init` what the first process of a box consists of: this machine's shell with its loader and libraries, and the script that it runs.
 */
import { chmod, copyFile, mkdir, realpath, rename, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write("Usage: bun apps/box-daemon/build.ts FOLDER\n");
  process.exit(2);
}

const target = resolve(folder);
await mkdir(target, { recursive: true });
await compile(join(target, "alcove-daemon"));
await copyInit(join(target, "init"));

async function compile(file: string): Promise<void> {
  // A running daemon holds its file, so the new one is made beside it and put in its place.
  const draft = `${file}.${process.pid}`;
  await must([
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
  ]);
  await rename(draft, file);
}

/** Nothing of the box's own image is needed to run it, and its users cannot break it. */
async function copyInit(init: string): Promise<void> {
  const draft = `${init}.${process.pid}`;
  await mkdir(join(draft, "lib"), { recursive: true });
  await copyFile(join(import.meta.dir, "src/init/init.sh"), join(draft, "init.sh"));
  const shell = await realpath("/bin/sh");
  await copyProgram(shell, join(draft, "sh"));
  for (const line of (await must(["ldd", shell])).split("\n")) {
    const library = /(\/\S+) \(0x/.exec(line)?.[1];
    if (library === undefined) continue;
    // The loader gives the process its name.
    const isLoader = basename(library).startsWith("ld-");
    await copyProgram(library, isLoader ? join(draft, "alcove-init") : join(draft, "lib", basename(library)));
  }
  await rm(init, { recursive: true, force: true });
  await rename(draft, init);
}

async function copyProgram(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o755);
}

async function must(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { cwd: import.meta.dir, stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) === 0) return output;
  process.stderr.write(output + errors);
  process.exit(1);
}
