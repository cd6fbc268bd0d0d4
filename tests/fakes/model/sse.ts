import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Writes server-sent events at the script's pace. */
export interface EventWriter {
  /** An event; the name is left out where the protocol has none. */
  send(name: string | null, data: unknown): Promise<void>;
  end(last?: string): void;
}

export function startEvents(response: ServerResponse, delayMs: number): EventWriter {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  return {
    async send(name, data) {
      if (delayMs > 0) await sleep(delayMs);
      if (response.destroyed) return;
      response.write(`${name === null ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`);
    },
    end(last) {
      if (last !== undefined) response.write(`data: ${last}\n\n`);
      response.end();
    },
  };
}

/** The text in pieces of a few words, as a model streams it. */
export function pieces(text: string): string[] {
  return text.match(/[\s\S]{1,24}/g) ?? [];
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
