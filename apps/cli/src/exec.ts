import { isUtf8 } from "node:buffer";
import type { ExecEvent, ExecRequest } from "@alcove/contract/api/workspace";
import type { Client } from "@alcove/sdk/client";
import { exitCodes } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command in a workspace with its output passed on as it comes; gives its exit code. Ctrl-C ends the command. */
export async function execCommand(
  client: Client,
  terminal: Terminal,
  workspace: string,
  request: ExecRequest,
): Promise<number> {
  const leaving = new AbortController();
  using _ = terminal.onInterrupt(() => leaving.abort());
  try {
    for await (const event of client.workspaces.exec(workspace, request, { signal: leaving.signal })) {
      switch (event.kind) {
        case "stdout":
          terminal.write(bytesOf(event));
          break;
        case "stderr":
          terminal.writeError(bytesOf(event));
          break;
        case "exit":
          return event.exitCode;
      }
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  }
  return exitCodes.interrupted;
}

function bytesOf({ data, encoding }: Exclude<ExecEvent, { kind: "exit" }>): Uint8Array {
  return Buffer.from(data, encoding ?? "utf8");
}

/** Standard input as a request carries it: text where it is that. */
export function inputOf(bytes: Buffer): Pick<ExecRequest, "stdin" | "stdinEncoding"> {
  return isUtf8(bytes) ? { stdin: bytes.toString() } : { stdin: bytes.toString("base64"), stdinEncoding: "base64" };
}
