import { closeSync, openSync, readSync } from "node:fs";

const firstBytes = 4_096;
/** How often the tables are read although no count of sockets has changed: one may have come as another one went. */
const wholeEveryMs = 3_000;

/**
 * The kernel's tables of TCP sockets, /proc/net/tcp and tcp6 (proc_pid_net(5)), kept open: whoever looks each second must not fill the memory of an idle box. To read one
 * of them the kernel walks through all places of a hash table, a hundred times what the counts of sockets (/proc/net/sockstat) cost: those say whether it is worth it.
 */
export interface SocketTables extends Disposable {
  /** Reads them again where something may have changed; false when they are as they were. */
  read(): boolean;
  /** What was read last. */
  texts(): string[];
}

export function openSocketTables(): SocketTables {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap(openFile);
  const counts = ["/proc/net/sockstat", "/proc/net/sockstat6"].flatMap(openFile);
  let known: string | undefined;
  let wholeAt = -Infinity;
  return {
    read() {
      const now = counts.map((file) => countsOf(file.read())).join();
      if (now !== "" && now === known && performance.now() - wholeAt < wholeEveryMs) return false;
      known = now;
      wholeAt = performance.now();
      // Each of them must be read.
      return tables.map((table) => table.reread()).includes(true);
    },
    texts: () => tables.map((table) => table.text()),
    [Symbol.dispose]() {
      for (const file of [...tables, ...counts]) file.close();
    },
  };
}

/** How many sockets of each kind this network namespace has, by `/proc/net/sockstat` or `sockstat6`; its other numbers are the whole machine's. */
function countsOf(file: Buffer): string {
  const counts = file.toString("latin1").match(/\b(?:used|inuse|tw) \d+/g);
  return counts?.join() ?? "";
}

function openFile(path: string) {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    // A kernel without IPv6 has none of its files.
    return [];
  }
  let last = Buffer.alloc(0);
  let buffer = Buffer.allocUnsafeSlow(firstBytes);
  const read = (): Buffer => {
    let end = 0;
    for (;;) {
      const length = readSync(fd, buffer, end, buffer.length - end, end);
      if (length === 0) return buffer.subarray(0, end);
      end += length;
      if (end === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    }
  };
  return [
    {
      /** Holds until the next reading. */
      read,
      /** False when it is as it was. */
      reread(): boolean {
        const bytes = read();
        if (bytes.equals(last)) return false;
        last = Buffer.from(bytes);
        return true;
      },
      text: () => last.toString("latin1"),
      close: () => closeSync(fd),
    },
  ];
}
