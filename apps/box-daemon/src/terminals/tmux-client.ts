import { describe, log } from "../system/log.ts";
import type { TmuxServer } from "./tmux-server.ts";

/** Bytes of input in one command line. */
const inputChunk = 512;

/** Speaks to the tmux server of the box. */
export interface TmuxClient {
  /** Runs commands, separated by ";", and gives their output; null when tmux refuses, or has no server. */
  run(...words: string[]): Promise<string | null>;
  /** Sends commands that have no answer over a connection that stays open: keys must not wait for a new process. */
  send(command: string): void;
  sendInput(pane: string, bytes: Uint8Array): void;
}

export interface TmuxClientOptions {
  readonly server: TmuxServer;
  readonly session: string;
  /** The open connection has ended: perhaps the server is gone. */
  onDisconnect(): void;
}

export function createTmuxClient(options: TmuxClientOptions): TmuxClient {
  const { words: base, env } = options.server;
  let control: Bun.Subprocess<"pipe", "pipe", "ignore"> | null = null;

  const connect = () => {
    const child = Bun.spawn([...base, "-C", "attach-session", "-f", "no-output,ignore-size", "-t", options.session], {
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    void discard(child.stdout);
    void child.exited.then(() => {
      if (control === child) control = null;
      options.onDisconnect();
    });
    control = child;
    return child;
  };
  const send = (command: string) => {
    const child = control ?? connect();
    void child.stdin.write(`${command}\n`);
    void Promise.resolve(child.stdin.flush()).catch((error: unknown) =>
      log("warn", "tmux took no input", { error: describe(error) }),
    );
  };

  return {
    async run(...words) {
      const child = Bun.spawn([...base, ...words], { env, stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
      const [output, errors, exitCode] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      if (exitCode === 0) return output;
      log("warn", "tmux refused", { command: words[0], errors });
      return null;
    },
    send,
    sendInput(pane, bytes) {
      for (let at = 0; at < bytes.length; at += inputChunk) {
        const hex = [...bytes.subarray(at, at + inputChunk)].map((byte) => byte.toString(16).padStart(2, "0"));
        send(`send-keys -t ${pane} -H ${hex.join(" ")}`);
      }
    },
  };
}

async function discard(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream) {
    // The connection's own messages are not needed.
  }
}
