import type { ExecRequest } from "@alcove/contract/api/workspace";
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
          terminal.write(event.data);
          break;
        case "stderr":
          terminal.writeError(event.data);
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
