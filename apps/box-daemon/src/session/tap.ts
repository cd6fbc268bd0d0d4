import type { AnyMessage, Stream } from "@agentclientprotocol/sdk";
import { isRecord, type Fields } from "../http/body.ts";
import type { AgentProcess } from "./agent-process.ts";
import { textLines } from "./text-lines.ts";

/**
 * Stands between the agent's pipes and the protocol library and sees every message as it was sent, in order.
 * `replaying`: session updates are history and dropped, until the next response arrives. `holding`: they are kept until the session is known to be
 * ready. `live`: they go to `onUpdate` at once.
 */
export interface Tap {
  readonly stream: Stream;
  /** Ends when the agent has closed its output and everything was passed on. */
  readonly drained: Promise<void>;
  replay(): void;
  hold(): void;
  goLive(): void;
}

export interface TapOptions {
  onUpdate(update: Fields): void;
  /** A line that is not JSON. */
  onStray(line: string): void;
}

export function tapAgent(agent: AgentProcess, options: TapOptions): Tap {
  let phase: "replaying" | "holding" | "live" = "holding";
  let held: Fields[] = [];

  const see = (message: Fields) => {
    if (phase === "replaying" && !("method" in message)) {
      phase = "holding";
      return;
    }
    const params = message["params"];
    if (message["method"] !== "session/update" || !isRecord(params) || !isRecord(params["update"])) return;
    if (phase === "live") options.onUpdate(params["update"]);
    else if (phase === "holding") held.push(params["update"]);
  };

  let finish = () => {};
  const drained = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const readable = new ReadableStream<AnyMessage>({
    async start(controller) {
      for await (const line of textLines(agent.stdout)) {
        const message = parseMessage(line);
        if (message === null) {
          if (line.trim() !== "") options.onStray(line);
          continue;
        }
        see(message);
        controller.enqueue(message);
      }
      finish();
      controller.close();
    },
  });
  const writable = new WritableStream<AnyMessage>({
    async write(message) {
      void agent.stdin.write(`${JSON.stringify(message)}\n`);
      await agent.stdin.flush();
    },
  });

  return {
    stream: { readable, writable },
    drained,
    replay() {
      held = [];
      phase = "replaying";
    },
    hold() {
      held = [];
      phase = "holding";
    },
    goLive() {
      phase = "live";
      for (const update of held) options.onUpdate(update);
      held = [];
    },
  };
}

/** Any object passes: the library checks the rest of its form. */
function isMessage(value: unknown): value is AnyMessage & Fields {
  return isRecord(value);
}

/** The line as a JSON-RPC message; null when it is none. */
function parseMessage(line: string): (AnyMessage & Fields) | null {
  if (!line.startsWith("{")) return null;
  try {
    const message: unknown = JSON.parse(line);
    return isMessage(message) ? message : null;
  } catch {
    return null;
  }
}
