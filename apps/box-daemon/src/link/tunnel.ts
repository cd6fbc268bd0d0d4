import { connect, type Socket } from "node:net";
import { CodedError } from "@alcove/contract/errors";

/** A connection to whatever listens on the port of the box's loopback, IPv4 first. Gives `port_closed`. */
export async function openTunnel(port: number): Promise<Socket> {
  for (const host of ["127.0.0.1", "::1"]) {
    const socket = await tryConnect(host, port);
    if (socket !== null) return socket;
  }
  throw new CodedError("port_closed", `Nothing listens on port ${port}`);
}

function tryConnect(host: string, port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.pause();
      resolve(socket);
    });
    socket.once("error", () => {
      socket.destroy();
      resolve(null);
    });
  });
}
