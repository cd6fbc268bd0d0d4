import { useCallback, useSyncExternalStore } from "react";

const listeners = new Map<string, Set<() => void>>();

/** The stored text, or null; storage that is closed to the page reads as empty. */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(`alcove.${key}`);
  } catch {
    return null;
  }
}

/** Stores the text, or forgets it when null. Without storage the page works on and forgets at reload. */
export function writeStored(key: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(`alcove.${key}`);
    else localStorage.setItem(`alcove.${key}`, text);
  } catch (error) {
    console.warn(`Could not keep "${key}" in this browser`, error);
  }
  for (const listener of listeners.get(key) ?? []) listener();
}

/** A text that survives a reload, and its setter. */
export function useStored(key: string): [string | null, (text: string | null) => void] {
  const subscribe = useCallback(
    (listener: () => void) => {
      const all = listeners.get(key) ?? new Set();
      listeners.set(key, all.add(listener));
      return () => void all.delete(listener);
    },
    [key],
  );
  const value = useSyncExternalStore(subscribe, () => readStored(key));
  return [value, useCallback((text) => writeStored(key, text), [key])];
}
