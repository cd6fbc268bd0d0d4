import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readSync, renameSync } from "node:fs";
import { copyFile, open, stat, truncate } from "node:fs/promises";

const largestBytes = 4 * 2 ** 20;
/** Of a log that is continued in another file. */
const keptBytes = 2 ** 20;

/**
 * Keeps the log at 4 MiB and its predecessor. The box appends to the file itself, so that it goes on without the host process: the file is emptied, never replaced.
 */
export async function limitLog(path: string): Promise<void> {
  const size = (await stat(path).catch(() => null))?.size ?? 0;
  if (size <= largestBytes) return;
  const older = `${path}.1`;
  await copyFile(path, older);
  if (size > 2 * largestBytes) await truncate(older, 2 * largestBytes);
  await truncate(path, 0);
}

/** Makes the file to which a box writes already its log, behind the end of what the log said before. */
export function continueLog(path: string, written: string): void {
  if (existsSync(path)) {
    const before = openSync(path, "r");
    const { size } = fstatSync(before);
    const end = Buffer.alloc(Math.min(size, keptBytes));
    appendFileSync(written, end.subarray(0, readSync(before, end, 0, end.length, size - end.length)));
    closeSync(before);
  }
  renameSync(written, path);
}

/** The end of the log, at most so many bytes; empty when there is none. */
export async function readLogEnd(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, "r").catch(() => null);
  if (file === null) return "";
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
