import { hasEnded } from "@alcove/contract/api/run";
import type { Delta } from "@alcove/contract/api/event";
import type { EventLog } from "../../events/event-log.ts";
import type { Live } from "../../events/live.ts";
import { sseResponse } from "../sse.ts";

/** Stored events behind `after` as they come, with the text of unfinished items between them. */
export function streamRunEvents(parts: {
  run: string;
  after: number;
  events: EventLog;
  live: Live;
  signal: AbortSignal;
}): Response {
  const { run, after, events, live } = parts;
  return sseResponse(parts.signal, async (push, signal) => {
    let unsubscribe: (() => void) | undefined;
    try {
      for await (const batch of events.follow(run, after, signal)) {
        for (const event of batch) await push({ id: String(event.seq), event: event.kind, data: event });
        const last = batch.at(-1);
        if (last?.kind === "run.state" && hasEnded(last.data.state)) return;
        // Only after what is stored: a delta must never overtake the events before its item.
        unsubscribe ??= live.subscribe(run, batched(push, signal));
      }
    } finally {
      unsubscribe?.();
    }
  });
}

/** Joins neighbouring pieces of one item while the reader is busy, so that a fast agent cannot fill the memory. */
function batched(push: (message: { event: string; data: unknown }) => Promise<void>, signal: AbortSignal) {
  let waiting: Delta[] = [];
  let busy = false;
  const drain = async () => {
    busy = true;
    while (waiting.length > 0 && !signal.aborted) {
      const now = waiting;
      waiting = [];
      for (const delta of now) await push({ event: "delta", data: delta });
    }
    busy = false;
  };
  return (delta: Delta) => {
    const last = waiting.at(-1);
    if (last && last.item === delta.item && last.at + last.text.length === delta.at) {
      waiting[waiting.length - 1] = { ...last, text: last.text + delta.text };
    } else {
      waiting.push(delta);
    }
    // A push fails when the reader is gone, and then the stream's own signal ends everything.
    if (!busy) void drain().catch(() => (waiting = []));
  };
}
