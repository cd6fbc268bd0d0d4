import { once } from "node:events";
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** O_PATH of open(2), which Node does not name. */
const pathOnly = 0o10000000;

/**
 * Connects to the socket of a box. On some runtimes the box itself makes it, and may put a link to another program's socket in its place: what is opened is the
 * socket at this very path or nothing.
 */
export async function connectToBox(path: string, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const place = openSync(path, pathOnly | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(place).isSocket()) throw new Error(`${path} is not a socket`);
    const socket = connect({ path: `/proc/self/fd/${place}`, allowHalfOpen: true });
    try {
      await once(socket, "connect", { signal });
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  } finally {
    closeSync(place);
  }
}
