import { CodedError } from "@alcove/contract/errors";
import { connect, type Connection } from "./connection.ts";

/** A connection to whatever listens on the port of the box's loopback, IPv4 first. Gives `port_closed`. */
export async function openTunnel(port: number): Promise<Connection> {
  for (const hostname of ["127.0.0.1", "::1"]) {
    const connection = await connect({ hostname, port }).catch(() => null);
    if (connection !== null) return connection;
  }
  throw new CodedError("port_closed", `Nothing listens on port ${port}`);
}
