import { closeSync, openSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { check, libc } from "../kernel/libc.ts";
import type { OpenedSockets, SocketWish, WantedSockets } from "./namespace-sockets.ts";

/**
 * The thread that opens sockets inside boxes' network namespaces (setns(2) changes the calling thread alone; descriptors belong to the whole process). An
 * ordinary user's host process has no right to come back to the host's own namespace, so this thread never needs to: between two boxes it is in an empty one
 * of its own, which also keeps no box's namespace alive. Nothing here may wait: a thread that the runtime starts meanwhile would stay in a box's namespace.
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

parentPort?.on("message", (wanted: WantedSockets) => {
  parentPort?.postMessage(openInside(wanted) satisfies OpenedSockets, []);
});

function openInside({ call, namespace, sockets }: WantedSockets): OpenedSockets {
  const descriptors: number[] = [];
  try {
    check("setns", libc.setns(namespace, networkNamespace));
    upLoopback();
    for (const wish of sockets) openSocket(wish, descriptors);
    return { call, descriptors };
  } catch (error) {
    for (const descriptor of descriptors) closeSync(descriptor);
    return { call, failure: String(error) };
  } finally {
    check("setns", libc.setns(home, networkNamespace));
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
