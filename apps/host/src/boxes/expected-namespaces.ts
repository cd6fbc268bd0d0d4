import type { WorkspaceId } from "@alcove/contract/ids";
import type { BoxNamespaces } from "./namespaces.ts";

/** How long after its announcement a start may come, in milliseconds. */
const patienceMs = 2_000;

export interface ExpectedNamespaces {
  /** Begins to make the namespaces of a box; they are let go when nobody takes them. */
  begin(workspace: WorkspaceId, firstId: number): void;
  /** Those that were begun, or others. Code: `namespaces_forbidden`. */
  take(workspace: WorkspaceId, firstId: number): Promise<BoxNamespaces>;
}

/** Namespaces that are made while the control plane notes the start that they are for. */
export function createExpectedNamespaces(make: (firstId: number) => Promise<BoxNamespaces>): ExpectedNamespaces {
  const begun = new Map<WorkspaceId, { firstId: number; made: Promise<BoxNamespaces>; timer: NodeJS.Timeout }>();

  const letGo = (workspace: WorkspaceId): void => {
    const expected = begun.get(workspace);
    begun.delete(workspace);
    clearTimeout(expected?.timer);
    expected?.made.then(
      (namespaces) => namespaces[Symbol.dispose](),
      () => undefined,
    );
  };

  return {
    begin(workspace, firstId) {
      if (begun.has(workspace)) return;
      const made = make(firstId);
      made.catch(() => undefined);
      begun.set(workspace, { firstId, made, timer: setTimeout(() => letGo(workspace), patienceMs) });
    },
    take(workspace, firstId) {
      const expected = begun.get(workspace);
      if (expected?.firstId !== firstId) {
        letGo(workspace);
        return make(firstId);
      }
      begun.delete(workspace);
      clearTimeout(expected.timer);
      // Not made when they were announced, they are tried once more.
      return expected.made.catch(() => make(firstId));
    },
  };
}
