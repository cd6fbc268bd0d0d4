import { closeSync, fstatSync, openSync, readSync, watch } from "node:fs";
import { discardHead } from "../system/libc.ts";
import { keptBytes, type TerminalOutput } from "./terminal.ts";

/** Milliseconds for which changes of a busy file are gathered. */
const gatherMs = 4;
/**
 * How often the file is looked at while somebody sees the terminal, whatever is told of it: the system may have no watch left, and on a busy machine Bun (1.4.5) does not
 * tell of each change.
 */
const lookEveryMs = 500;

/**
 * The output of a terminal in a file that another process appends to, so that it goes on while the daemon is dead. An offset in the stream is an
 * offset in the file: what is too old is given back to the disk as a hole.
 */
export interface Spool extends TerminalOutput {
  /** Looks at once, and tells whoever follows. */
  notify(): void;
  /** Lets the file go, as soon as nobody follows it any more. */
  close(): void;
}

/** `changed` hears of changes in the folder also while nobody has subscribed, and then not of each. */
export function openSpool(folder: string, file: string, changed: () => void): Spool {
  const fd = openSync(file, "a+", 0o600);
  const subscribers = new Set<() => void>();
  let discarded = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let looking: ReturnType<typeof setInterval> | null = null;
  let closing = false;
  const size = () => fstatSync(fd).size;

  const notify = () => {
    timer = null;
    const old = size() - keptBytes;
    if (old - discarded > keptBytes) {
      discardHead(fd, old);
      discarded = old;
    }
    changed();
    for (const tell of subscribers) tell();
  };
  const watcher = watch(folder, () => {
    timer ??= setTimeout(notify, gatherMs);
  });
  watcher.on("error", () => watcher.close());

  const rest = () => {
    if (subscribers.size > 0) return;
    if (looking !== null) clearInterval(looking);
    looking = null;
    if (!closing) return;
    if (timer !== null) clearTimeout(timer);
    watcher.close();
    closeSync(fd);
  };

  return {
    start: () => Math.max(0, size() - keptBytes),
    end: size,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    },
    subscribe(tell) {
      subscribers.add(tell);
      looking ??= setInterval(notify, lookEveryMs);
      return () => {
        if (subscribers.delete(tell)) rest();
      };
    },
    notify,
    close() {
      closing = true;
      rest();
    },
  };
}
