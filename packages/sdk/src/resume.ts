import { CodedError } from "@alcove/contract/errors";
import { readServerEvents, type ServerEvent } from "./server-events.ts";
import type { Transport } from "./request.ts";

export interface StreamOptions {
  signal?: AbortSignal;
  /** Told when the line drops (with the pause until the next try) and when it is back. */
  onLine?: (line: { state: "open" } | { state: "lost"; retryMs: number; error: unknown }) => void;
}

interface ResumeRequest extends StreamOptions {
  transport: Transport;
  path: string;
  query?: Record<string, string>;
  /** Cursor of the last event that the caller has. */
  after: string | null;
  /** Asked when the server ends the stream: true when there is nothing more to come after this cursor. */
  isOver: (after: string | null) => Promise<boolean>;
}

const silenceMs = 60_000;
const longestPauseMs = 5_000;

/**
 * Events of a resumable stream, each once: a dropped line is opened again behind the last id, after a pause that doubles from 250 ms to 5 s.
 * Refusals (a status from 400 to 499) are thrown, a missing server is waited for.
 */
export async function* resumeServerEvents(request: ResumeRequest): AsyncGenerator<ServerEvent, void, undefined> {
  const { transport, signal } = request;
  let after = request.after;
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    let problem: unknown = null;
    try {
      const response = await transport.send("GET", request.path, {
        query: { ...request.query, after },
        headers: {
          accept: "text/event-stream",
          ...(after === null ? {} : { "last-event-id": after }),
        },
        ...(signal ? { signal } : {}),
      });
      request.onLine?.({ state: "open" });
      if (!response.body) throw new TypeError("The response has no body");
      for await (const event of readServerEvents(response.body, silenceMs)) {
        failures = 0;
        if (event.id !== null) after = event.id;
        yield event;
      }
      if (await request.isOver(after)) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (isRefusal(error)) throw error;
      problem = error;
    }
    const retryMs = Math.min(longestPauseMs, 250 * 2 ** failures);
    failures += 1;
    request.onLine?.({ state: "lost", retryMs, error: problem });
    await pause(retryMs, signal);
  }
}

const passing = new Set<string>([
  "server_unreachable",
  "shutting_down",
  "internal",
  "database_unreachable",
  "host_unreachable",
  "too_many_requests",
]);

/** True for an answer that asking again does not change. */
function isRefusal(error: unknown): boolean {
  return error instanceof CodedError && !passing.has(error.code);
}

/** Waits so many milliseconds; rejects at once when the signal is aborted. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done() {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new Error("Aborted", { cause: signal?.reason }));
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}
