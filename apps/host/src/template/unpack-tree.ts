import { CodedError } from "@alcove/contract/errors";
import type { UnpackedTree } from "@alcove/contract/host";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { openTop } from "../kernel/beneath.ts";
import type { Trees } from "../volumes/trees.ts";
import { isFull } from "../volumes/pool.ts";
import { applyLayer } from "./apply-layer.ts";
import { invalid } from "./archive-entries.ts";
import { addBoxFiles } from "./box-files.ts";
import { readImageLayout } from "./image-layout.ts";
import { openRootFiles, type RootFiles } from "./root-files.ts";
import { readNote, writeNote } from "./tree-note.ts";

/** Raised when the same archive would be unpacked in another way. */
const unpackVersion = 1;
/** Bytes that are written between two looks at the disk. */
const lookEveryBytes = 64 * 2 ** 20;
const loaders = ["lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1"];
const tools = { bash: ["bin/bash"], sudo: ["usr/bin/sudo"], tmux: ["usr/bin/tmux"], git: ["usr/bin/git"] };

/**
 * Stores a root file system that somebody gave, by its content: the same archive again is the same tree. Nothing of it is left when it cannot be used. Codes:
 * `template_invalid`, `too_large`, `host_full`.
 */
export async function unpackTree(options: {
  folder: string;
  trees: Trees;
  owner: number;
  archive: Readable;
  largestBytes: number;
  signal: AbortSignal;
  sizeOf: (tree: string) => Promise<number>;
}): Promise<UnpackedTree> {
  const { folder, trees, owner, archive, largestBytes, signal, sizeOf } = options;
  const name = randomBytes(8).toString("hex");
  const upload = `${folder}/${name}.upload`;
  const scratch = `${folder}/${name}.image`;
  const fresh = `${folder}/${name}.new`;
  try {
    const tree = await receive(archive, upload, largestBytes, signal);
    const path = `${folder}/${tree}`;
    const known = existsSync(path) ? (await readNote(path))?.unpacked : undefined;
    if (known) return known;
    const budget = { bytes: largestBytes };
    const image = await readImageLayout(upload, scratch, { bytes: largestBytes }, signal);
    await trees.create(fresh);
    {
      using root = openTop(fresh);
      for (const layer of image?.layers ?? [upload])
        await applyLayer({ root, archive: layer, owner, isLayer: image !== null, budget, signal });
    }
    const lacks = await makeUsable(fresh, owner);
    const sizeBytes = await sizeOf(fresh);
    const said = image?.config ?? { env: {}, start: null, ports: [] };
    const unpacked: UnpackedTree = { tree, kind: image === null ? "tar" : "oci", sizeBytes, lacks, ...said };
    await writeNote(path, { tools: {}, sizeBytes, unpacked });
    await rename(fresh, path).catch((error: NodeJS.ErrnoException) => {
      // The same archive was given twice at once.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    return unpacked;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT"))
      throw new CodedError("host_full", "Cannot keep the root file system: the server's disk is full", {
        cause: error,
      });
    throw error;
  } finally {
    await rm(upload, { force: true });
    await rm(scratch, { recursive: true, force: true });
    await trees.remove(fresh);
  }
}

/** Writes the archive to the disk, and gives the id of its content. */
async function receive(archive: Readable, path: string, largestBytes: number, signal: AbortSignal): Promise<string> {
  await mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  const hash = createHash("sha256").update(`unpack ${unpackVersion}\n`);
  await using file = await open(path, "wx", 0o600);
  let bytes = 0;
  let looked = 0;
  // Whoever sends it still waits for an answer when this ends early.
  for await (const chunk of archive.iterator({ destroyOnReturn: false })) {
    signal.throwIfAborted();
    if (!Buffer.isBuffer(chunk)) throw new TypeError("the archive does not come as bytes");
    bytes += chunk.length;
    if (bytes > largestBytes)
      throw new CodedError("too_large", `A root file system has at most ${Math.floor(largestBytes / 2 ** 20)} MiB.`);
    hash.update(chunk);
    await file.appendFile(chunk);
    if (bytes - looked < lookEveryBytes) continue;
    looked = bytes;
    if (await isFull(path)) throw new CodedError("host_full");
  }
  signal.throwIfAborted();
  if (bytes === 0) throw invalid("it is empty");
  return hash.digest("hex").slice(0, 16);
}

/** Adds what boxes need, and says what they go without. */
async function makeUsable(tree: string, owner: number): Promise<string[]> {
  using files = openRootFiles(tree, owner);
  if (!files.has("bin/sh")) throw invalid("it has no /bin/sh");
  if (!loaders.some((path) => files.has(path)))
    throw invalid("its programs are not linked with glibc, which the programs of Alcove in a box need");
  await addBoxFiles(tree, owner);
  return missingTools(files);
}

function missingTools(files: RootFiles): string[] {
  return Object.entries(tools).flatMap(([tool, places]) =>
    [...places, `usr/local/bin/${tool}`].some((place) => files.has(place)) ? [] : [tool],
  );
}
