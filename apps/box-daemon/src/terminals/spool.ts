import { closeSync, fstatSync, openSync, readSync, watch } from "node:fs";
import { discardHead } from "../system/libc.ts";
import { keptBytes, type TerminalOutput } from "./terminal.ts";

/** Milliseconds for which changes of a busy file are gathered. */
const gatherMs = 4;

/**
 * The output of a terminal in a file that another process appends to, so that it goes on while the daemon is dead. An offset in the stream is an
 * offset in the file: what is too old is given back to the disk as a hole.
 */
export interface Spool extends TerminalOutput {
  /** Tells the subscribers to look again. */
  notify(): void;
  close(): void;
}

export function openSpool(folder: string, file: string): Spool {
  const fd = openSync(file, "a+", 0o600);
  const subscribers = new Set<() => void>();
  let discarded = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const size = () => fstatSync(fd).size;

  const notify = () => {
    timer = null;
    const old = size() - keptBytes;
    if (old - discarded > keptBytes) {
      discardHead(fd, old);
      discarded = old;
    }
    for (const changed of subscribers) changed();
  };
  const watcher = watch(folder, () => {
    timer ??= setTimeout(notify, gatherMs);
  });
  watcher.on("error", () => watcher.close());

  return {
    start: () => Math.max(0, size() - keptBytes),
    end: size,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    },
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
    notify,
    close() {
      watcher.close();
      if (timer !== null) clearTimeout(timer);
      closeSync(fd);
    },
  };
}
