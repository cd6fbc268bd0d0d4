import type { Delta } from "@alcove/contract/api/event";

/**
 * Text of items that are not finished yet, in the memory of the replica that drives the run. Whoever joins late first gets what there is so
 * far. Replicas that do not drive the run show finished items only.
 */
export interface Live {
  append(run: string, of: Delta["of"], item: string, text: string): void;
  /** Sets the item's text as a whole (an agent that repeats its output so far); only what is new is passed on. */
  replace(run: string, of: Delta["of"], item: string, text: string): void;
  /** The item is finished and stored: its text is let go. */
  finish(run: string, item: string): void;
  close(run: string): void;
  /** Calls back with what there is, then with each piece as it comes; returns the end of the subscription. */
  subscribe(run: string, receive: (delta: Delta) => void): () => void;
}

/** Longest text that is kept of one unfinished item, in UTF-16 units; what follows is seen when the item is stored. */
const itemLimit = 512 * 1024;

export function createLive(): Live {
  const items = new Map<string, Map<string, { of: Delta["of"]; text: string }>>();
  const receivers = new Map<string, Set<(delta: Delta) => void>>();

  const append: Live["append"] = (run, of, item, text) => {
    if (text === "") return;
    const ofRun = items.get(run) ?? new Map<string, { of: Delta["of"]; text: string }>();
    items.set(run, ofRun);
    const entry = ofRun.get(item) ?? { of, text: "" };
    ofRun.set(item, entry);
    const taken = text.slice(0, Math.max(0, itemLimit - entry.text.length));
    if (taken === "") return;
    const delta: Delta = { run, of, item, at: entry.text.length, text: taken };
    entry.text += taken;
    for (const receive of receivers.get(run) ?? []) receive(delta);
  };

  return {
    append,
    replace(run, of, item, text) {
      const before = items.get(run)?.get(item)?.text ?? "";
      if (text.startsWith(before)) append(run, of, item, text.slice(before.length));
    },
    finish: (run, item) => void items.get(run)?.delete(item),
    close: (run) => void items.delete(run),
    subscribe(run, receive) {
      for (const [item, { of, text }] of items.get(run) ?? []) receive({ run, of, item, at: 0, text });
      const set = receivers.get(run) ?? new Set();
      receivers.set(run, set.add(receive));
      return () => {
        set.delete(receive);
        if (set.size === 0 && receivers.get(run) === set) receivers.delete(run);
      };
    },
  };
}
