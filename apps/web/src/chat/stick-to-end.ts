import { useCallback, useEffect, useRef, useState, type RefObject } from "react";

/** The reader counts as being at the end within this many pixels of it. */
const nearPx = 48;

interface Stick {
  log: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  /** True while the reader has scrolled away from the end. */
  away: boolean;
  /** How many parts were added since then. */
  fresh: number;
  toEnd: () => void;
}

/** Keeps a growing text at its end while the reader is there, and lets go at once when they scroll up. */
export function useStickToEnd(): Stick {
  const log = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const seen = useRef(0);
  const [away, setAway] = useState(false);
  const [fresh, setFresh] = useState(0);

  const toEnd = useCallback(() => {
    stuck.current = true;
    setAway(false);
    setFresh(0);
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, []);

  useEffect(() => {
    const box = log.current;
    const inner = content.current;
    if (!box || !inner) return;
    let top = box.scrollTop;
    const parts = () => inner.querySelectorAll(".turn > *").length;
    const onScroll = () => {
      const up = box.scrollTop < top - 1;
      top = box.scrollTop;
      const near = box.scrollHeight - box.clientHeight - box.scrollTop <= nearPx;
      if (near) {
        stuck.current = true;
        setAway(false);
        setFresh(0);
      } else if (up && stuck.current) {
        stuck.current = false;
        seen.current = parts();
        setAway(true);
      }
    };
    const onGrow = () => {
      if (stuck.current) box.scrollTop = box.scrollHeight;
      else setFresh(Math.max(0, parts() - seen.current));
      top = box.scrollTop;
    };
    const observer = new ResizeObserver(onGrow);
    observer.observe(inner);
    observer.observe(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", onScroll);
    };
  }, []);

  return { log, content, away, fresh, toEnd };
}
