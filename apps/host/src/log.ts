import { traceIdOf } from "@alcove/contract/trace";
import { AsyncLocalStorage } from "node:async_hooks";

const traces = new AsyncLocalStorage<string | undefined>();

/** Runs `work` so that its log lines bear the trace id of the header, where it has one. */
export function withTrace<T>(traceparent: string | undefined, work: () => T): T {
  return traces.run(traceIdOf(traceparent), work);
}

/** One JSON line on standard error. */
export function logLine(level: "info" | "warn" | "error", message: string, fields: Record<string, unknown> = {}): void {
  const shown = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  );
  process.stderr.write(
    `${JSON.stringify({ time: new Date().toISOString(), level, process: "host", message, trace: traces.getStore(), ...shown })}\n`,
  );
}
