import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { createNotices, type Line, type Notices } from "../live/notices.ts";
import { pageShown } from "../live/page-shown.ts";

const NoticesContext = createContext<Notices | null>(null);

/** Keeps one line for notices open while somebody is signed in. */
export function NoticesProvider({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const [notices] = useState(() => createNotices(queryClient, pageShown));
  useEffect(() => {
    notices.start();
    return () => notices[Symbol.dispose]();
  }, [notices]);
  return <NoticesContext value={notices}>{children}</NoticesContext>;
}

const open: Line = { state: "open" };

export function useNotices(): Notices | null {
  return useContext(NoticesContext);
}

/** Whether the line to the server is open, and when it is tried again. */
export function useLine(): Line {
  const notices = useNotices();
  return useSyncExternalStore(
    (listener) => notices?.subscribe(listener) ?? (() => undefined),
    () => notices?.line() ?? open,
  );
}
