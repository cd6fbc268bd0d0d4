import type { WatchLine } from "@alcove/contract/box/ports";
import { linesResponse } from "../http/lines.ts";
import type { Route } from "../http/router.ts";
import { listListening } from "./listening.ts";

const pollMs = 1_000;
const pingMs = 15_000;

export function portRoutes(ownPort: number): Route[] {
  return [
    { method: "GET", path: "/v1/ports", handle: () => Response.json(listListening(new Map(), ownPort)) },
    { method: "GET", path: "/v1/watch", handle: () => linesResponse((signal) => watchPorts(ownPort, signal)) },
  ];
}

/** Looks once a second, and only while somebody reads. */
async function* watchPorts(ownPort: number, signal: AbortSignal): AsyncGenerator<string, void> {
  const names = new Map<string, string | null>();
  let last = "";
  let lineAt = performance.now();
  const format = (line: WatchLine) => `${JSON.stringify(line)}\n`;
  while (!signal.aborted) {
    const line = format({ ports: listListening(names, ownPort) });
    if (line !== last || performance.now() - lineAt >= pingMs) {
      yield line === last ? format({ ping: true }) : line;
      last = line;
      lineAt = performance.now();
    }
    await abortableSleep(pollMs, signal);
  }
}

function abortableSleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
