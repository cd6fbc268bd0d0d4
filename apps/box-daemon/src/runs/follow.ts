import { closeSync, existsSync, openSync, watch } from "node:fs";
import { isEnd, readLines, renumber, seqOf } from "./journal.ts";
import type { RunFiles } from "./run-files.ts";

/** Milliseconds between two looks at whether the session process still lives, and between two signs of life to the reader. */
const livenessMs = 1_000;
const pingMs = 10_000;
const batchBytes = 64 * 1024;

export interface FollowOptions {
  readonly files: RunFiles;
  /** The reader has every entry up to this number. */
  readonly after: number;
  readonly signal: AbortSignal;
  /** Gives a journal its end when its process is gone; does nothing while it lives. */
  settle(): Promise<void>;
}

/** The journal's lines behind `after`, as they are written, up to the end of the run. */
export async function* followJournal(options: FollowOptions): AsyncGenerator<Uint8Array | string, void> {
  const { files, after, signal } = options;
  const change = watchFolder(files.folder, signal);
  let fd: number | null = null;
  let offset = 0;
  let seen = 0;
  // The first one at once, so that the answer begins before the agent does.
  let pingAt = 0;
  try {
    while (!signal.aborted) {
      fd ??= existsSync(files.journal) ? openSync(files.journal, "r") : null;
      let batch: Buffer[] = [];
      let size = 0;
      for (const line of fd === null ? [] : readLines(fd, offset)) {
        offset += line.length;
        seen = seqOf(line);
        const ended = isEnd(line);
        // A power cut can take back the last entries. A reader that saw more of them than there are now still gets an end, with the next number.
        if (ended && seen <= after) batch.push(renumber(line, after + 1));
        else if (seen > after) batch.push(line);
        size += line.length;
        if (ended) {
          yield Buffer.concat(batch);
          return;
        }
        if (size > batchBytes) {
          yield Buffer.concat(batch);
          batch = [];
          size = 0;
        }
      }
      if (batch.length > 0) {
        yield Buffer.concat(batch);
        continue;
      }
      if (performance.now() >= pingAt) {
        pingAt = performance.now() + pingMs;
        yield '{"ping":true}\n';
        continue;
      }
      if (await change.next(livenessMs)) continue;
      await options.settle();
    }
  } finally {
    change.close();
    if (fd !== null) closeSync(fd);
  }
}

/** Tells of changes in the folder. `next` resolves true at a change since the last call, false after the time or when the signal is aborted. */
function watchFolder(folder: string, signal: AbortSignal): { next(ms: number): Promise<boolean>; close(): void } {
  let changed = false;
  let wake = () => {};
  const watcher = watch(folder, () => {
    changed = true;
    wake();
  });
  // Without a watch (none left on the system) the regular look is enough.
  watcher.on("error", () => watcher.close());
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  return {
    async next(ms) {
      if (!changed && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const result = changed;
      changed = false;
      return result;
    },
    close() {
      signal.removeEventListener("abort", onAbort);
      watcher.close();
    },
  };
}
