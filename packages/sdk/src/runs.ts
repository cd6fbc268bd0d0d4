import {
  changeNoticeSchema,
  deltaSchema,
  runEventSchema,
  type ChangeNotice,
  type Delta,
  type RunEvent,
} from "@alcove/contract/api/event";
import { pageSchema } from "@alcove/contract/api/problem";
import {
  type answerApprovalSchema,
  approvalSchema,
  hasEnded,
  runSchema,
  sessionSchema,
  undoResultSchema,
  type CreateRun,
  type RunState,
} from "@alcove/contract/api/run";
import type { z } from "zod";
import { resumeServerEvents, type StreamOptions } from "./resume.ts";
import { encodePath, type Transport } from "./request.ts";

/** A stored fact of the run, or text of an item that is still being written. */
export type RunStreamItem = { type: "event"; event: RunEvent } | { type: "delta"; delta: Delta };

interface Waiting {
  signal?: AbortSignal;
}
interface Paged extends Waiting {
  limit?: number;
  cursor?: string;
}

/** Runs, sessions and approvals of the API. */
export function createRunCalls(transport: Transport) {
  const { read, send, url } = transport;
  const of = (run: string) => `/runs/${encodeURIComponent(run)}`;

  const get = (run: string, options: Waiting & { waitSeconds?: number } = {}) =>
    read(runSchema, "GET", of(run), { query: { wait: options.waitSeconds }, ...signalOf(options) });

  /**
   * The run's events after `after` (0: all), each once and in order, with live deltas in between; ends after the run's last event. A dropped
   * line is taken up again by itself.
   */
  async function* events(
    run: string,
    options: StreamOptions & { after?: number } = {},
  ): AsyncGenerator<RunStreamItem, void, undefined> {
    let seen = options.after ?? 0;
    const isOver = async () => {
      const current = await get(run, signalOf(options));
      return hasEnded(current.state) && current.lastSeq <= seen;
    };
    const stream = resumeServerEvents({
      ...options,
      transport,
      path: `${of(run)}/events`,
      after: String(seen),
      isOver,
    });
    for await (const { kind, data } of stream) {
      if (kind === "delta") {
        yield { type: "delta", delta: deltaSchema.parse(JSON.parse(data)) };
        continue;
      }
      const event = runEventSchema.safeParse(JSON.parse(data));
      // A kind that only a newer server knows is passed over, not the end of the stream.
      if (!event.success || event.data.seq <= seen) continue;
      seen = event.data.seq;
      yield { type: "event", event: event.data };
    }
  }

  return {
    runs: {
      /** Starts a run. The same idempotency key gives the same run again; one is made up when left out. */
      create: (run: CreateRun, options: Waiting & { idempotencyKey?: string } = {}) =>
        read(runSchema, "POST", "/runs", {
          json: run,
          headers: { "idempotency-key": options.idempotencyKey ?? crypto.randomUUID() },
          ...signalOf(options),
        }),
      list: (query: Paged & { workspace?: string; session?: string; state?: RunState } = {}) => {
        const { signal, ...rest } = query;
        return read(pageSchema(runSchema), "GET", "/runs", {
          query: rest,
          ...signalOf({ signal }),
        });
      },
      get,
      events,
      cancel: (run: string) => send("POST", `${of(run)}/cancel`).then(() => undefined),
      /** Puts back what the run changed; `kept` are the paths that somebody changed after it. */
      undo: (run: string) => read(undoResultSchema, "POST", `${of(run)}/undo`),
      /** The address of a deliverable as the run left it. */
      fileUrl: (run: string, path: string, options: { download?: boolean } = {}) =>
        url(`${of(run)}/files/${encodePath(path)}`, { download: options.download }),
      readFile: (run: string, path: string, options: Waiting = {}) =>
        send("GET", `${of(run)}/files/${encodePath(path)}`, signalOf(options)),
    },
    sessions: {
      list: (query: Paged & { workspace?: string } = {}) => {
        const { signal, ...rest } = query;
        return read(pageSchema(sessionSchema), "GET", "/sessions", {
          query: rest,
          ...signalOf({ signal }),
        });
      },
    },
    approvals: {
      list: (options: Waiting = {}) => read(pageSchema(approvalSchema), "GET", "/approvals", signalOf(options)),
      /** Answers; `approval_answered` or `approval_expired` when it came too late. */
      answer: (approval: string, answer: z.input<typeof answerApprovalSchema>) =>
        read(approvalSchema, "POST", `/approvals/${encodeURIComponent(approval)}`, {
          json: answer,
        }),
    },
    /** What changed among the things that the caller may see, for ever; a dropped line is taken up again by itself. */
    async *notices(options: StreamOptions & { after?: string } = {}): AsyncGenerator<ChangeNotice, void, undefined> {
      const isOver = () => Promise.resolve(false);
      for await (const { data } of resumeServerEvents({
        ...options,
        transport,
        path: "/events",
        after: options.after ?? null,
        isOver,
      })) {
        const notice = changeNoticeSchema.safeParse(JSON.parse(data));
        if (notice.success) yield notice.data;
      }
    },
  };
}

/** The signal as a request's option; absent rather than undefined. */
export function signalOf(options: { signal?: AbortSignal | undefined }): { signal?: AbortSignal } {
  return options.signal ? { signal: options.signal } : {};
}
