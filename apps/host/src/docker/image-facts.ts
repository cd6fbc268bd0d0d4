import { z } from "zod";
import { readFileSync, fstatSync } from "node:fs";
import { openInRoot, openTop, pathOf, type Opened } from "../kernel/beneath.ts";
import { SystemCallError } from "../kernel/libc.ts";

/** What a box over an image has to know of it. */
export const imageFactsSchema = z.object({
  shell: z.string(),
  /** True where the user may become root: the image brings sudo, and does not say that it is not wanted. */
  sudo: z.boolean(),
  /** True where the daemon does not find the loader and the libraries that it was made for. */
  ownLibraries: z.boolean(),
  /** The image's own PATH; null for the usual one. */
  path: z.string().nullable(),
  env: z.record(z.string(), z.string()),
});
export type ImageFacts = z.infer<typeof imageFactsSchema>;

/** Label of an image that brings sudo, but whose user is not to become root: `false`. */
const sudoLabel = "alcove.sudo";
const loader = process.arch === "arm64" ? "lib/ld-linux-aarch64.so.1" : "lib64/ld-linux-x86-64.so.2";

/** The facts of a box over the root file system of embedded boxes. */
export const plainFacts: ImageFacts = { shell: "/bin/bash", sudo: true, ownLibraries: false, path: null, env: {} };

/** Looks at the tree of an image, whose content is not trusted, and at what its maker said of it. */
export function readImageFacts(tree: string, said: { env: string[]; labels: Record<string, string> }): ImageFacts {
  using root = openTop(tree);
  const has = (path: string): boolean => isThere(root, path);
  const entries = said.env.map((line): [string, string] => [
    line.slice(0, line.indexOf("=")),
    line.slice(line.indexOf("=") + 1),
  ]);
  const { PATH: path = null, ...env } = Object.fromEntries(entries);
  return {
    shell: has("bin/bash") ? "/bin/bash" : "/bin/sh",
    sudo: has("usr/bin/sudo") && said.labels[sudoLabel] !== "false",
    ownLibraries: !has(loader),
    path,
    env,
  };
}

const largestFile = 2 ** 20;

/** A small text of an untrusted tree; empty when it is not there or no file of that kind. */
export function readInTree(tree: string, path: string): string {
  using root = openTop(tree);
  if (!isThere(root, path)) return "";
  using file = openInRoot(root, path);
  const entry = fstatSync(file.fd);
  return entry.isFile() && entry.size <= largestFile ? readFileSync(pathOf(file), "utf8") : "";
}

export function isInTree(tree: string, path: string): boolean {
  using root = openTop(tree);
  return isThere(root, path);
}

function isThere(root: Opened, path: string): boolean {
  try {
    openInRoot(root, path)[Symbol.dispose]();
    return true;
  } catch (error) {
    if (error instanceof SystemCallError) return false;
    throw error;
  }
}
