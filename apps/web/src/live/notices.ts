import type { ChangeNotice } from "@alcove/contract/api/event";
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { client } from "./client.ts";
import { refreshAll } from "./refresh.ts";

export type Line = { state: "open" } | { state: "lost"; retryAt: number };

/** What the page knows about its line to the server, and the notices that keep its copies fresh. */
export interface Notices extends Disposable {
  line(): Line;
  subscribe(listener: () => void): () => void;
  /** Hears every notice after the copies were marked stale. */
  listen(listener: (notice: ChangeNotice) => void): () => void;
  /** Opens the line; opened again after it was disposed, it goes on. */
  start(): void;
  /** Tries again at once. */
  retryNow(): void;
}

/** Copies that a notice makes stale. */
export function staleKeys(notice: ChangeNotice): QueryKey[] {
  switch (notice.resource) {
    case "run":
      return [["runs"], ["sessions"]];
    case "workspace":
      return [["workspaces"], ["workspace"], ["workspace-events"], ["snapshots"]];
    case "session":
      return [["sessions"]];
    case "approval":
      return [["approvals"]];
    case "agent":
      return [["agents"]];
    case "provider":
      return [["providers"], ["agents"]];
    case "template":
      return [["templates"]];
  }
}

/** Notices come in bursts while an agent works: copies are read again at most this often. */
const coalesceMs = 120;

/** The server's notices, followed from `start` until disposed. */
export function createNotices(queryClient: QueryClient): Notices {
  let line: Line = { state: "open" };
  let stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stale = new Map<string, QueryKey>();
  const listeners = new Set<() => void>();
  const noticeListeners = new Set<(notice: ChangeNotice) => void>();

  const setLine = (next: Line) => {
    line = next;
    for (const listener of listeners) listener();
  };

  const flush = () => {
    timer = undefined;
    const keys = [...stale.values()];
    stale.clear();
    for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey });
  };

  const run = async (signal: AbortSignal) => {
    const onLine: NonNullable<Parameters<typeof client.notices>[0]>["onLine"] = (next) => {
      if (next.state === "lost") return setLine({ state: "lost", retryAt: Date.now() + next.retryMs });
      // Whatever was missed while the line was down is read again.
      if (line.state === "lost") void refreshAll(queryClient);
      setLine({ state: "open" });
    };
    for await (const notice of client.notices({ signal, onLine })) {
      for (const key of staleKeys(notice)) stale.set(JSON.stringify(key), key);
      timer ??= setTimeout(flush, coalesceMs);
      for (const listener of noticeListeners) listener(notice);
    }
  };

  const start = () => {
    stop = new AbortController();
    const { signal } = stop;
    run(signal).catch((error: unknown) => {
      // A refusal means that the session has ended: the next query says so and leads to the door.
      if (!signal.aborted) void queryClient.invalidateQueries({ queryKey: ["me"] });
      if (!signal.aborted) console.warn("The line for notices ended", error);
    });
  };

  return {
    start,
    line: () => line,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    listen(listener) {
      noticeListeners.add(listener);
      return () => noticeListeners.delete(listener);
    },
    retryNow() {
      stop.abort();
      start();
    },
    [Symbol.dispose]() {
      stop.abort();
      clearTimeout(timer);
    },
  };
}
