import type { Socket } from "node:net";
import { libc } from "../kernel/libc.ts";

const internetLevel = 0;
const originalDestinationOption = 80;

/** Where a connection was going before the rules led it here (SO_ORIGINAL_DST of linux/netfilter_ipv4.h); null when it was not led here. */
export function originalDestination(socket: Socket): { address: string; port: number } | null {
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return null;
  // struct sockaddr_in
  const name = Buffer.alloc(16);
  const length = Buffer.from([name.length, 0, 0, 0]);
  if (libc.getsockopt(descriptor, internetLevel, originalDestinationOption, name, length) !== 0) return null;
  return { address: name.subarray(4, 8).join("."), port: name.readUInt16BE(2) };
}

/** Node's handle of a socket has its descriptor, as Bun's; neither has a public name for it. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || !("fd" in handle)) return undefined;
  return typeof handle.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}
