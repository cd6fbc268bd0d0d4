import { CodedError } from "@alcove/contract/errors";
import type { Client } from "@alcove/sdk/client";
import type { ReadStream, WriteStream } from "node:tty";

/** Ctrl-], as in telnet. */
const detachKey = 0x1d;

/**
 * Opens a terminal of the workspace in this one, raw and with its size; gives the shell's exit code. Ctrl-] leaves the terminal running, on
 * the page too. Gives `bad_request` when this is no terminal.
 */
export async function openShell(
  client: Client,
  workspace: string,
  tty: { input: ReadStream; output: WriteStream; note: (line: string) => void },
): Promise<number> {
  const { input, output, note } = tty;
  if (!input.isTTY || !output.isTTY)
    throw new CodedError("bad_request", "This is no terminal.", {
      hint: `Use \`alcove exec ${workspace} -- COMMAND\` from scripts.`,
    });
  // A terminal that was never told its size says zero.
  const size = () => ({ cols: Math.max(output.columns || 80, 2), rows: Math.max(output.rows || 24, 2) });
  const terminal = await client.terminals.create(workspace, size());
  const exit = Promise.withResolvers<number>();
  using line = client.terminals.attach(workspace, terminal.id, {
    size: size(),
    onOutput: (bytes) => void output.write(bytes),
    onReset: () => void output.write("\x1bc"),
    onExit: (exitCode) => exit.resolve(exitCode ?? 0),
    onLine: (state) => state === "lost" && note("\r\n[the line dropped; trying again]\r\n"),
  });
  const type = (bytes: Buffer) => {
    const end = bytes.indexOf(detachKey);
    line.send(new Uint8Array(end < 0 ? bytes : bytes.subarray(0, end)));
    if (end < 0) return;
    note("\r\n[detached; the terminal goes on]\r\n");
    exit.resolve(0);
  };
  const resize = () => line.resize(size());
  input.setRawMode(true).on("data", type).resume();
  output.on("resize", resize);
  try {
    return await exit.promise;
  } finally {
    output.off("resize", resize);
    input.off("data", type).setRawMode(false).pause();
  }
}
