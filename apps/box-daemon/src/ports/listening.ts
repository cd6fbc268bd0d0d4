import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { BoxPort } from "@alcove/contract/box/ports";
import { networkProxyPort } from "@alcove/contract/box/raw";

const listenState = "0A";

interface Listener {
  readonly port: number;
  readonly address: string;
  readonly inode: string;
}

/** The listeners in a `/proc/net/tcp` or `tcp6` table that are bound to loopback or to every address. */
export function parseTable(table: string): Listener[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap((columns) => {
      const [, local, , state] = columns;
      const inode = columns[9];
      const [host, port] = (local ?? "").split(":");
      const address = addresses[host ?? ""];
      if (state !== listenState || address === undefined || port === undefined || inode === undefined) return [];
      return [{ port: Number.parseInt(port, 16), address, inode }];
    });
}

/** Addresses as the kernel prints them: 32-bit words in the machine's byte order, which is little-endian wherever the product runs. */
const addresses: Readonly<Record<string, string>> = {
  "00000000": "0.0.0.0",
  "0100007F": "127.0.0.1",
  "00000000000000000000000000000000": "::",
  "00000000000000000000000001000000": "::1",
  "0000000000000000FFFF00000100007F": "127.0.0.1",
};

/** What listens by the tables, by port, but for what the product itself listens on; `names` keeps the process name of a socket between calls. */
export function listListening(tables: string[], names: Map<string, string | null>, ownPort: number): BoxPort[] {
  const listeners = tables.flatMap(parseTable);
  const byPort = new Map<number, Listener>();
  for (const listener of listeners) {
    if (listener.port !== ownPort && listener.port !== networkProxyPort && !byPort.has(listener.port))
      byPort.set(listener.port, listener);
  }
  const wanted = [...byPort.values()];
  const unknown = new Set(wanted.map((listener) => listener.inode).filter((inode) => !names.has(inode)));
  if (unknown.size > 0) findNames(unknown, names);
  const current = new Set(wanted.map((listener) => listener.inode));
  for (const inode of names.keys()) if (!current.has(inode)) names.delete(inode);
  return wanted
    .toSorted((a, b) => a.port - b.port)
    .map(({ port, address, inode }) => ({ port, address, process: names.get(inode) ?? null }));
}

/** Names of the processes that hold the sockets; null for one that cannot be looked into. */
function findNames(inodes: ReadonlySet<string>, names: Map<string, string | null>): void {
  for (const inode of inodes) names.set(inode, null);
  for (const pid of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(pid)) continue;
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode !== undefined && inodes.has(inode))
          names.set(inode, readFileSync(`/proc/${pid}/comm`, "utf8").trim());
      }
    } catch {
      // It has ended meanwhile, or belongs to another user.
    }
  }
}
