import { chmodSync, chownSync, closeSync, openSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { check, libc } from "./libc.ts";

const unixFamily = 1;
const streamType = 1;
const backlog = 512;

/**
 * A listening unix socket of which the returned descriptor is the only end: given to another process it goes on listening when this one is gone. The path
 * is replaced, belongs to the owner and is closed to everybody else. The caller closes the descriptor.
 */
export function listenOnUnixSocket(path: string, owner: { uid: number; gid: number }): number {
  const folder = openSync(dirname(path), "r");
  const socket = check("socket", libc.socket(unixFamily, streamType, 0));
  try {
    rmSync(path, { force: true });
    // An address holds 107 bytes: by way of the open folder, the length of the data directory does not matter.
    const name = Buffer.from(`/proc/self/fd/${folder}/${basename(path)}\0`);
    const address = Buffer.alloc(2 + name.length);
    address.writeUInt16LE(unixFamily, 0);
    name.copy(address, 2);
    // The mask of the process lets nobody else connect meanwhile. It belongs to all threads and is never changed: folders are made at the same time.
    check("bind", libc.bind(socket, address, address.length));
    chmodSync(path, 0o600);
    chownSync(path, owner.uid, owner.gid);
    check("listen", libc.listen(socket, backlog));
    return socket;
  } catch (error) {
    closeSync(socket);
    throw error;
  } finally {
    closeSync(folder);
  }
}
