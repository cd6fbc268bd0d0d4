/** Whether somebody may be looking at this page. */
export interface Shown {
  get(): boolean;
  subscribe(listener: () => void): () => void;
}

/** How long a page in the background keeps its lines, in milliseconds: most looks elsewhere are short. */
const graceMs = 10_000;

/**
 * False once the page has been in the background for a while. A browser has six connections to a server for all of its tabs together: those that nobody looks at hold none,
 * or the others would get no answers.
 */
export function watchShown(document: Pick<Document, "hidden" | "addEventListener">): Shown {
  const listeners = new Set<() => void>();
  let shown = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const set = (next: boolean) => {
    if (next === shown) return;
    shown = next;
    for (const listener of listeners) listener();
  };
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => set(false), graceMs);
    else set(true);
  };
  document.addEventListener("visibilitychange", look);
  look();
  return {
    get: () => shown,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
