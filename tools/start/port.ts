import { createServer } from "node:net";
import { CodedError } from "../../packages/contract/src/errors.ts";

/** Gives `port_taken` when another program listens there, or `bad_request` when the address is not one of this machine. */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise((resolve, reject) => {
      server.once("error", reject).listen({ host, port, exclusive: true }, () => resolve(undefined));
    });
  } catch (error) {
    throw asPortError(error, host, port);
  }
  await new Promise((resolve) => server.close(resolve));
}

function asPortError(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  switch (error.code) {
    case "EADDRINUSE":
      return new CodedError("port_taken", `Cannot listen on ${host}:${port}: another program does.`, {
        hint: `Stop the other program or start with ALCOVE_PORT=${port + 1}.`,
      });
    case "EACCES":
      return new CodedError("port_taken", `Cannot listen on ${host}:${port}: this user may not use ports below 1024.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new CodedError("bad_request", `Cannot listen on ${host}: it is not an address of this machine.`, {
        hint: "Correct ALCOVE_HOST; 127.0.0.1 is this machine only, 0.0.0.0 is every network.",
      });
    default:
      return error;
  }
}
