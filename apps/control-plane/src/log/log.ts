import { traceIdOf } from "@alcove/contract/trace";
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import pino from "pino";

/** What goes on now: the trace that a request began, carried to the box and back. */
export interface Trace {
  readonly traceId: string;
}

const storage = new AsyncLocalStorage<Trace>();

/** The trace id of a `traceparent` header, or a fresh one. */
export function traceIdFrom(traceparent: string | null | undefined): string {
  return traceIdOf(traceparent) ?? randomHex();
}

/** Runs `work` so that its log lines and its requests to the host process and to boxes carry the trace id. */
export function withTrace<T>(traceId: string, work: () => T): T {
  return storage.run({ traceId }, work);
}

export function currentTraceId(): string | undefined {
  return storage.getStore()?.traceId;
}

/** The `traceparent` header for an onward request. */
export function traceparent(): string {
  return `00-${currentTraceId() ?? randomHex()}-${randomHex().slice(16)}-01`;
}

/** 32 hex digits. Node keeps random bytes ahead for this call alone. */
function randomHex(): string {
  return randomUUID().replaceAll("-", "");
}

export type Log = pino.Logger;

/** JSON lines on standard output, each with the current trace id; keys and tokens are never written. */
export function createLog({ level, name }: { level: string; name: string }): Log {
  return pino({
    name,
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ["key", "*.key", "token", "*.token", "password", "*.password", "authorization", "*.authorization"],
      censor: "[hidden]",
    },
    mixin: () => {
      const traceId = currentTraceId();
      return traceId ? { trace: traceId } : {};
    },
  });
}
