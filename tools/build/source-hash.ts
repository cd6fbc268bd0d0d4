import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { inProject } from "../project.ts";

const ignored = /(^|\/)(node_modules|dist|\.cache)$|\.(test|contract)\.tsx?$/;

/** 16 hex digits that change with the name or content of any file in these files and folders of the project; tests aside. */
export async function hashSources(sources: string[], root = inProject()): Promise<string> {
  const lists = await Promise.all(sources.map((source) => listFiles(root, source)));
  const paths = [...new Set(lists.flat())].toSorted();
  const contents = await Promise.all(paths.map((path) => readFile(join(root, path))));
  const hash = createHash("sha256");
  for (const [index, path] of paths.entries()) {
    const content = contents[index];
    if (content) hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

async function listFiles(root: string, path: string): Promise<string[]> {
  if (ignored.test(path)) return [];
  if (!(await stat(join(root, path))).isDirectory()) return [path];
  const names = await readdir(join(root, path));
  return (await Promise.all(names.map((name) => listFiles(root, join(path, name))))).flat();
}
