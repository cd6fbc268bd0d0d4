import type { BoxPort, WatchLine } from "@alcove/contract/box/ports";
import { linesResponse } from "../http/lines.ts";
import type { Route } from "../http/router.ts";
import { listListening } from "./listening.ts";
import { openSocketTables } from "./socket-tables.ts";

const pollMs = 1_000;
const pingMs = 15_000;
/** How much later than it should a look comes where the box stood still. */
const lateMs = 30;

export function portRoutes(ownPort: number): Route[] {
  return [
    { method: "GET", path: "/v1/ports", handle: () => Response.json(listNow(ownPort)) },
    { method: "GET", path: "/v1/watch", handle: () => linesResponse((signal) => watchPorts(ownPort, signal)) },
  ];
}

function listNow(ownPort: number): BoxPort[] {
  using tables = openSocketTables();
  tables.read();
  return listListening(tables.texts(), new Map(), ownPort);
}

/** Looks once a second, and only while somebody reads. */
async function* watchPorts(ownPort: number, signal: AbortSignal): AsyncGenerator<string, void> {
  using tables = openSocketTables();
  const names = new Map<string, string | null>();
  let last = "";
  let line = "";
  let lineAt = performance.now();
  const format = (line: WatchLine) => `${JSON.stringify(line)}\n`;
  while (!signal.aborted) {
    if (tables.read()) line = format({ ports: listListening(tables.texts(), names, ownPort) });
    if (line !== last || performance.now() - lineAt >= pingMs) {
      yield line === last ? format({ ping: true }) : line;
      last = line;
      lineAt = performance.now();
    }
    const slept = performance.now();
    await abortableSleep(pollMs, signal);
    // A box that was frozen is asked something: that comes first.
    if (performance.now() - slept > pollMs + lateMs) await abortableSleep(lateMs, signal);
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
