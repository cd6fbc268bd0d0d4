import { existsSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { inProject } from "../project.ts";
import { type Part, type PartName, parts } from "./parts.ts";
import { hashSources } from "./source-hash.ts";

export type BuiltPart = { name: PartName; hash: string; folder: string };

const cache = inProject(".cache", "build");

/** Builds every part whose sources changed since its last build, side by side, and says where each one is. */
export async function buildParts(onBuild: (name: PartName) => void = () => {}): Promise<BuiltPart[]> {
  return Promise.all(parts.map((part) => buildPart(part, onBuild)));
}

/** The folder of one part, built if need be. */
export async function builtPart(name: PartName): Promise<string> {
  const part = parts.find((candidate) => candidate.name === name);
  if (!part) throw new TypeError(`There is no part "${name}"`);
  return (await buildPart(part)).folder;
}

async function buildPart(
  part: Part & { name: PartName },
  onBuild: (name: PartName) => void = () => {},
): Promise<BuiltPart> {
  const hash = await hashSources([...part.sources, "tools/build", "package-lock.json"]);
  const folder = `${cache}/${part.name}-${hash}`;
  if (!existsSync(folder)) {
    onBuild(part.name);
    const draft = `${folder}.${process.pid}`;
    await rm(draft, { recursive: true, force: true });
    await part.build(draft);
    await rename(draft, folder).catch(async (error: unknown) => {
      // Another process has built the same in the meantime; the two do not differ.
      if (!existsSync(folder)) throw error;
      await rm(draft, { recursive: true });
    });
    await removeOthers(part.name, hash);
  }
  return { name: part.name, hash, folder };
}

/** Removes earlier builds of the part; drafts stay, they belong to somebody. */
async function removeOthers(name: PartName, hash: string): Promise<void> {
  for (const entry of await readdir(cache)) {
    const earlier = new RegExp(`^${name}-[0-9a-f]{16}$`).test(entry) && entry !== `${name}-${hash}`;
    if (earlier) await rm(`${cache}/${entry}`, { recursive: true, force: true });
  }
}
