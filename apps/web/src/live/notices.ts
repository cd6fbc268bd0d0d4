import type { ChangeNotice } from "@alcove/contract/api/event";
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { client } from "./client.ts";
import { markStale, refreshAll } from "./refresh.ts";
import type { Shown } from "./shown.ts";

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
      // Lists of what was done in it name it, and end with it.
      return [["workspaces"], ["workspace"], ["workspace-events"], ["snapshots"], ["runs"], ["approvals"]];
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
/** How often a page that is not shown asks for what its title counts. */
const backgroundMs = 15_000;

/** The server's notices, followed from `start` until disposed while the page is shown. */
export function createNotices(queryClient: QueryClient, shown: Shown): Notices {
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
    for (const queryKey of keys) void markStale(queryClient, { queryKey });
  };

  const run = async (signal: AbortSignal) => {
    let isFirst = true;
    const onLine: NonNullable<Parameters<typeof client.notices>[0]>["onLine"] = (next) => {
      if (next.state === "lost") return setLine({ state: "lost", retryAt: Date.now() + next.retryMs });
      // Whatever changed before the line was there is read again.
      if (isFirst || line.state === "lost") void refreshAll(queryClient);
      isFirst = false;
      setLine({ state: "open" });
    };
    for await (const notice of client.notices({ signal, onLine })) {
      for (const key of staleKeys(notice)) stale.set(JSON.stringify(key), key);
      timer ??= setTimeout(flush, coalesceMs);
      for (const listener of noticeListeners) listener(notice);
    }
  };

  const open = () => {
    stop = new AbortController();
    const { signal } = stop;
    if (!shown.get()) return keepCounts(signal);
    run(signal).catch((error: unknown) => {
      // A refusal means that the session has ended: the next query says so and leads to the door.
      if (!signal.aborted) void queryClient.invalidateQueries({ queryKey: ["me"] });
      if (!signal.aborted) console.warn("The line for notices ended", error);
    });
  };

  const keepCounts = (signal: AbortSignal) => {
    const every = setInterval(() => {
      for (const key of ["runs", "approvals"]) void markStale(queryClient, { queryKey: [key] });
    }, backgroundMs);
    signal.addEventListener("abort", () => clearInterval(every));
  };

  const reopen = () => {
    stop.abort();
    open();
  };
  let unsubscribe: (() => void) | undefined;

  return {
    start() {
      unsubscribe = shown.subscribe(reopen);
      open();
    },
    line: () => line,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    listen(listener) {
      noticeListeners.add(listener);
      return () => noticeListeners.delete(listener);
    },
    retryNow: reopen,
    [Symbol.dispose]() {
      unsubscribe?.();
      stop.abort();
      clearTimeout(timer);
    },
  };
}
