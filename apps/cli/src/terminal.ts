import type { Readable } from "node:stream";

/** The terminal or pipes that a command reads and writes. */
export type Terminal = {
  write(text: string | Uint8Array): void;
  writeError(text: string | Uint8Array): void;
  readonly color: boolean;
  readonly input: Readable;
  /** Calls back at each Ctrl-C until disposed; without this, Ctrl-C ends the program. */
  onInterrupt(callback: () => void): Disposable;
};

/** This process's own terminal. */
export function createTerminal(env: Record<string, string | undefined>): Terminal {
  return {
    write: (output) => void process.stdout.write(output),
    writeError: (output) => void process.stderr.write(output),
    color: process.stderr.isTTY && !env["NO_COLOR"],
    input: process.stdin,
    onInterrupt(callback) {
      process.on("SIGINT", callback);
      return { [Symbol.dispose]: () => process.off("SIGINT", callback) };
    },
  };
}
