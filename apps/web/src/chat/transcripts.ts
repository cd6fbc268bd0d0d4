import type { RunStreamItem } from "@alcove/sdk/runs";
import { emptyTranscript, withDelta, withEvent, type Transcript } from "./transcript.ts";

/** Transcripts of runs by id, each built from the run's own stream while somebody looks at it. */
export interface Transcripts {
  get(run: string): Transcript;
  /** Follows the run until the returned function is called. */
  follow(run: string, onChange: () => void): () => void;
  /** The error that ended the stream of the run, when one did. */
  failure(run: string): unknown;
}

interface Entry {
  transcript: Transcript;
  listeners: Set<() => void>;
  stop: AbortController | null;
  failure: unknown;
}

interface Options {
  events: (run: string, options: { after: number; signal: AbortSignal }) => AsyncIterable<RunStreamItem>;
  /** Calls back when the next frame is drawn: text is appended in batches of one frame. */
  nextFrame: (callback: () => void) => void;
}

/** A browser keeps six connections to a server; two are left for runs that are over, the rest is for what is live. */
const linesAtOnce = 3;

/** `createTranscripts({ events, nextFrame })`: what was read once is kept, and read on from its last event when it is looked at again. */
export function createTranscripts({ events, nextFrame }: Options): Transcripts {
  const entries = new Map<string, Entry>();
  const waiting: string[] = [];
  let open = 0;

  const entryOf = (run: string): Entry => {
    let entry = entries.get(run);
    if (!entry) {
      entry = { transcript: emptyTranscript(run), listeners: new Set(), stop: null, failure: null };
      entries.set(run, entry);
    }
    return entry;
  };

  const read = async (entry: Entry, signal: AbortSignal) => {
    let pending: RunStreamItem[] = [];
    const flush = () => {
      const batch = pending;
      pending = [];
      entry.transcript = batch.reduce(take, entry.transcript);
      for (const listener of entry.listeners) listener();
    };
    // Replayed events come after the stored cursor, so what is pending here when the line ends must not be lost.
    for await (const item of events(entry.transcript.run, { after: entry.transcript.seq, signal })) {
      pending.push(item);
      if (pending.length === 1) nextFrame(flush);
    }
  };

  const start = (run: string) => {
    const entry = entryOf(run);
    const stop = new AbortController();
    entry.stop = stop;
    entry.failure = null;
    open += 1;
    read(entry, stop.signal)
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        entry.failure = error;
        for (const listener of entry.listeners) listener();
      })
      .finally(() => {
        open -= 1;
        if (entry.stop === stop) entry.stop = null;
        const next = waiting.shift();
        if (next) start(next);
      });
  };

  return {
    get: (run) => entryOf(run).transcript,
    failure: (run) => entryOf(run).failure,
    follow(run, onChange) {
      const entry = entryOf(run);
      entry.listeners.add(onChange);
      const over = entry.transcript.endedAt !== null;
      if (!entry.stop && !over && !waiting.includes(run)) {
        if (open < linesAtOnce) start(run);
        else waiting.unshift(run);
      }
      return () => {
        entry.listeners.delete(onChange);
        if (entry.listeners.size > 0) return;
        const queued = waiting.indexOf(run);
        if (queued >= 0) waiting.splice(queued, 1);
        entry.stop?.abort();
        entry.stop = null;
      };
    },
  };
}

function take(transcript: Transcript, item: RunStreamItem): Transcript {
  return item.type === "event" ? withEvent(transcript, item.event) : withDelta(transcript, item.delta);
}
