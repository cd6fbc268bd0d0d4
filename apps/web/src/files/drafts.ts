import { useSyncExternalStore } from "react";
import { movedPath } from "./moved-path.ts";

/** Text that was typed and not saved yet, by workspace and path; it lives as long as the page. */
const drafts = new Map<string, { text: string; etag: string | null }>();
const listeners = new Set<() => void>();

function keyOf(workspace: string, path: string): string {
  return `${workspace}:${path}`;
}

function tell() {
  for (const listener of listeners) listener();
}

function leaving(event: BeforeUnloadEvent) {
  event.preventDefault();
}

/** Keeps what was typed over the version with this ETag. */
export function keepDraft(workspace: string, path: string, draft: { text: string; etag: string | null }): void {
  const fresh = !drafts.has(keyOf(workspace, path));
  drafts.set(keyOf(workspace, path), draft);
  addEventListener("beforeunload", leaving);
  if (fresh) tell();
}

export function forgetDraft(workspace: string, path: string): void {
  if (!drafts.delete(keyOf(workspace, path))) return;
  if (drafts.size === 0) removeEventListener("beforeunload", leaving);
  tell();
}

/** Unsaved text goes with its file, or with a folder that its file lies in. */
export function moveDrafts(workspace: string, from: string, to: string): void {
  for (const [key, draft] of [...drafts]) {
    const path = key.startsWith(`${workspace}:`) ? key.slice(workspace.length + 1) : null;
    const moved = path === null ? null : movedPath(path, from, to);
    if (moved === null || moved === path) continue;
    drafts.delete(key);
    drafts.set(keyOf(workspace, moved), draft);
  }
  tell();
}

export function draftOf(workspace: string, path: string): { text: string; etag: string | null } | undefined {
  return drafts.get(keyOf(workspace, path));
}

export function isDirty(workspace: string, path: string): boolean {
  return drafts.has(keyOf(workspace, path));
}

/** True while the file has text that is not saved. */
export function useDirty(workspace: string, path: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => isDirty(workspace, path),
  );
}
