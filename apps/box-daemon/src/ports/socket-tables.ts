import { closeSync, openSync, readSync } from "node:fs";

const firstBytes = 4_096;

/** The kernel's tables of TCP sockets, /proc/net/tcp and tcp6 (proc_pid_net(5)), kept open: whoever looks each second must not fill the memory of an idle box. */
export interface SocketTables extends Disposable {
  /** Reads them again; false when they are as they were. */
  read(): boolean;
  /** What was read last. */
  texts(): string[];
}

export function openSocketTables(): SocketTables {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap(openTable);
  return {
    // Each of them must be read.
    read: () => tables.map((table) => table.read()).includes(true),
    texts: () => tables.map((table) => table.text()),
    [Symbol.dispose]() {
      for (const table of tables) table.close();
    },
  };
}

function openTable(path: string) {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    // A kernel without IPv6 has no second table.
    return [];
  }
  let last = Buffer.alloc(0);
  let buffer = Buffer.allocUnsafeSlow(firstBytes);
  const fill = (): Buffer => {
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
      read(): boolean {
        const bytes = fill();
        if (bytes.equals(last)) return false;
        last = Buffer.from(bytes);
        return true;
      },
      text: () => last.toString("latin1"),
      close: () => closeSync(fd),
    },
  ];
}
