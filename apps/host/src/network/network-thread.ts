import { closeSync, openSync, writeFileSync } from "node:fs";
import { createNamespaces, type BoxNamespaces } from "../boxes/namespaces.ts";
import { check, libc } from "../kernel/libc.ts";
import { serveThread } from "../kernel/serve-thread.ts";
import { setNetworkRules } from "./nftables.ts";

export type SocketWish = { kind: "tcp" | "udp"; address: string; port: number };
export type NetworkOperations = typeof operations;

/**
 * The thread that makes boxes' network namespaces, and goes into them for sockets and rules (setns(2) changes the calling thread alone; descriptors belong to the
 * whole process). An ordinary user's host process has no right to come back to the host's own namespace, so this thread never needs to: between two boxes it is in
 * an empty one of its own, which also keeps no box's namespace alive. Nothing waits inside: a thread that the runtime starts meanwhile would stay in a box's namespace.
 */

const networkNamespace = 0x4000_0000;
const internetFamily = 2;
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const socketLevel = 1;
const reuseAddress = 2;
const types = { tcp: 1, udp: 2 };
const backlog = 128;
const getInterfaceFlags = 0x8913n;
const setInterfaceFlags = 0x8914n;
const interfaceUp = 1;

check("unshare", libc.unshare(networkNamespace));
const home = openSync("/proc/thread-self/ns/net", "r");
shrinkTables();

const held = new Map<number, BoxNamespaces>();

const operations = {
  /** Makes the namespaces of a box; they hold until `release` or the end of this process, and then as long as somebody is in them. Code: `namespaces_forbidden`. */
  async hold(firstId: number): Promise<{ pid: number; user: string; network: string }> {
    const namespaces = await createNamespaces(firstId);
    const { pid, user, network } = namespaces;
    held.set(pid, namespaces);
    return { pid, user, network };
  },
  release(pid: number): void {
    held.get(pid)?.[Symbol.dispose]();
    held.delete(pid);
  },
  /** Brings the loopback up in the namespace of which a descriptor is given, and gives descriptors of sockets bound in it, listening where they are of TCP. */
  open({ namespace, sockets }: { namespace: number; sockets: SocketWish[] }): number[] {
    const descriptors: number[] = [];
    try {
      inside(namespace, () => {
        upLoopback();
        for (const wish of sockets) openSocket(wish, descriptors);
      });
      return descriptors;
    } catch (error) {
      for (const descriptor of descriptors) closeSync(descriptor);
      throw error;
    }
  },
  /** Gives the namespace rules of nft(8), in one step. */
  rule({ namespace, rules }: { namespace: number; rules: string }): void {
    inside(namespace, () => setNetworkRules(rules));
  },
};
serveThread(operations);

function inside<T>(namespace: number, work: () => T): T {
  check("setns", libc.setns(namespace, networkNamespace));
  try {
    return work();
  } finally {
    check("setns", libc.setns(home, networkNamespace));
  }
}

/**
 * Gives network namespaces that are made from here a table of connections of their own (ip-sysctl, tcp_child_ehash_entries, Linux 6.1). The machine's common one has a
 * quarter of a million places on one of 24 GB, and whoever lists what listens in a box, as its daemon does each second, walks through all of them.
 */
function shrinkTables(): void {
  try {
    writeFileSync("/proc/sys/net/ipv4/tcp_child_ehash_entries", "8192");
  } catch {
    // An older kernel, or one that hides its settings: slower, and nothing else.
  }
}

/** A new namespace's loopback is down (netdevice(7)). */
function upLoopback(): void {
  const socket = check("socket", libc.socket(internetFamily, types.udp | closeOnExec, 0));
  try {
    // struct ifreq: a name of 16 bytes, then its flags
    const request = Buffer.alloc(40);
    request.write("lo");
    check("ioctl", libc.ioctl(socket, getInterfaceFlags, request));
    if ((request.readUInt16LE(16) & interfaceUp) !== 0) return;
    request.writeUInt16LE(request.readUInt16LE(16) | interfaceUp, 16);
    check("ioctl", libc.ioctl(socket, setInterfaceFlags, request));
  } finally {
    closeSync(socket);
  }
}

function openSocket({ kind, address, port }: SocketWish, descriptors: number[]): void {
  const socket = check("socket", libc.socket(internetFamily, types[kind] | closeOnExec | nonBlocking, 0));
  descriptors.push(socket);
  // What the host process before this one served may still be on its way to its end. Two that listen are refused all the same.
  const one = Buffer.from([1, 0, 0, 0]);
  if (kind === "tcp") check("setsockopt", libc.setsockopt(socket, socketLevel, reuseAddress, one, one.length));
  // struct sockaddr_in
  const name = Buffer.alloc(16);
  name.writeUInt16LE(internetFamily, 0);
  name.writeUInt16BE(port, 2);
  name.set(address.split(".").map(Number), 4);
  check("bind", libc.bind(socket, name, name.length));
  if (kind === "tcp") check("listen", libc.listen(socket, backlog));
}
