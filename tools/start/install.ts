import { createHash } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { chmod, cp, link, mkdir, readdir, readlink, rename, rm, stat, symlink, utimes } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  installPostgresBinaries,
  locatePostgresPackage,
} from "../../apps/control-plane/src/database/local-postgres/binaries.ts";
import type { BuiltPart } from "../build/build.ts";
import { inProject, ownBun, packageProgram, packageVersion } from "../project.ts";
import { putBoxNpm } from "./box-npm.ts";
import { pointTo } from "./point-to.ts";

/** A part of an installed version: its folder is `<data>/parts/<id>`, shared by all versions that hold it. */
type InstalledPart = { name: string; id: string; install(target: string): Promise<void> };

export type Version = { name: string; folder: string };

const keptVersions = 2;

/**
 * Installs the build below the data directory and makes it the current version: `versions/<hash>/` holds a link per part. What runs goes on
 * with the files it has. Everything is readable by every user, wherever the project itself lies.
 */
export async function installVersion(data: string, built: BuiltPart[]): Promise<Version> {
  const parts = [...(await packageParts()), ...built.map(builtPart)];
  const name = createHash("sha256")
    .update(
      parts
        .map((part) => part.id)
        .toSorted()
        .join("\n"),
    )
    .digest("hex")
    .slice(0, 12);
  await Promise.all(parts.map((part) => installPart(data, part)));
  const folder = join(data, "versions", name);
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o755 });
    for (const part of parts) await symlink(join("..", "..", "parts", part.id), join(draft, part.name));
    await rename(draft, folder);
  }
  await utimes(folder, new Date(), new Date());
  await pointTo(join(data, "versions", "current"), name);
  await fillOpt(data, folder);
  await prune(data);
  return { name, folder };
}

/** Programs of npm packages that an installed version needs. */
async function packageParts(): Promise<InstalledPart[]> {
  const postgres = await locatePostgresPackage();
  const nodePackage = packageProgram(`node-linux-${process.arch}`);
  const copyOf = async (name: string, folder: string): Promise<InstalledPart> => ({
    name,
    id: `${name}-${await packageVersion(folder)}`,
    install: (target) => cp(folder, target, { recursive: true, mode: constants.COPYFILE_FICLONE }),
  });
  return [
    await copyOf("node", nodePackage),
    await copyOf("bun", join(ownBun, "..", "..")),
    await copyOf("npm", inProject("node_modules", "npm")),
    {
      name: "postgres",
      id: `postgres-${postgres.version}`,
      install: (target) => installPostgresBinaries(postgres.native, target),
    },
  ];
}

const builtPart = ({ name, hash, folder }: BuiltPart): InstalledPart => ({
  name,
  id: `${name}-${hash}`,
  install: (target) => cp(folder, target, { recursive: true, mode: constants.COPYFILE_FICLONE }),
});

async function installPart(data: string, { id, install }: InstalledPart): Promise<void> {
  const target = join(data, "parts", id);
  if (existsSync(target)) return;
  const draft = `${target}.draft`;
  await rm(draft, { recursive: true, force: true });
  await install(draft);
  await makeReadable(draft);
  await rename(draft, target);
}

/** Lets every user read what a strict umask would keep from the control plane's user. */
async function makeReadable(path: string): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const paths = [
    path,
    ...entries.filter((entry) => !entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name)),
  ];
  for (const each of paths) {
    const { mode } = await stat(each);
    await chmod(each, (mode & 0o7777) | 0o444 | (mode & 0o100 ? 0o111 : 0));
  }
}

/** Boxes get `opt` mounted, so it holds files and no links out of it; a box that runs keeps the file it started with. */
async function fillOpt(data: string, version: string): Promise<void> {
  const daemon = join(version, "box-daemon");
  for (const entry of await readdir(daemon, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    await replaceFile(source, join(data, "opt", "bin", relative(daemon, source)));
  }
  const node = join(data, "opt", "node");
  await replaceFile(join(version, "node", "bin", "node"), join(node, "bin", "node"));
  await putBoxNpm(node, join(version, "npm"));
}

async function replaceFile(source: string, target: string): Promise<void> {
  const [from, to] = [await stat(source), await stat(target).catch(() => null)];
  if (to && from.ino === to.ino && from.dev === to.dev) return;
  const draft = `${target}.draft`;
  await rm(draft, { force: true });
  await link(source, draft);
  await rename(draft, target);
}

/** Removes versions before the last two, and the parts that no version holds any more. */
async function prune(data: string): Promise<void> {
  const folder = join(data, "versions");
  const names = (await readdir(folder)).filter((name) => name !== "current");
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  const versions = dated.toSorted((a, b) => b.at - a.at);
  const used = new Set<string>();
  for (const [index, { name }] of versions.entries()) {
    if (index >= keptVersions) await rm(join(folder, name), { recursive: true, force: true });
    else
      for (const part of await readdir(join(folder, name)))
        used.add((await readlink(join(folder, name, part))).split("/").at(-1) ?? "");
  }
  for (const part of await readdir(join(data, "parts")))
    if (!used.has(part)) await rm(join(data, "parts", part), { recursive: true, force: true });
}
