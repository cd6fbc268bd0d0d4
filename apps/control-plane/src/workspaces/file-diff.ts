import { createTwoFilesPatch } from "diff";
import type { FileDiff } from "@alcove/contract/api/workspace";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import type { SnapshotId } from "@alcove/contract/ids";
import type { Readable } from "node:stream";

/** A longer file is not compared, and a comparison that takes longer than this many milliseconds is given up. */
const longestBytes = 2 ** 20;
const patienceMs = 2_000;

/** The unified diff of one file in two snapshots; a file that is not there on one side counts as empty. Code: `file_not_found` when it is on neither. */
export async function diffFiles(
  read: (snapshot: SnapshotId) => Promise<Readable>,
  { from, to }: { from: SnapshotId; to: SnapshotId },
  path: string,
): Promise<FileDiff> {
  const [before, after] = await Promise.all([readText(read(from)), readText(read(to))]);
  if (before === "none" && after === "none") throw new CodedError("file_not_found");
  if (before === "large" || after === "large") return { path, diff: null, why: "large" };
  if (before === "binary" || after === "binary") return { path, diff: null, why: "binary" };
  const options = { context: 3, timeout: patienceMs };
  const text = (side: Side) => (side === "none" ? "" : side.text);
  const diff = createTwoFilesPatch(path, path, text(before), text(after), undefined, undefined, options);
  return diff === undefined ? { path, diff: null, why: "large" } : { path, diff, why: "text" };
}

type Side = { text: string } | "none";

async function readText(opening: Promise<Readable>): Promise<Side | "binary" | "large"> {
  let stream: Readable;
  try {
    stream = await opening;
  } catch (error) {
    if (toCodedError(error).code === "file_not_found") return "none";
    throw error;
  }
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.length;
    if (size > longestBytes) {
      stream.destroy();
      return "large";
    }
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  if (bytes.includes(0)) return "binary";
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return "binary";
  }
}
