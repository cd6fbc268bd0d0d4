import type { WorkspaceId } from "@alcove/contract/ids";
import { createBoxClient, type BoxClient } from "../box/box-client.ts";
import type { BoxAddress, Runtime } from "../runtimes/runtime.ts";
import type { WorkspaceRow } from "./workspace-store.ts";

/** Where boxes are, as this replica knows it, and what it has in flight with them. */
export interface BoxAccess {
  /** A client to a box at this address, which is known from now on. */
  client(id: WorkspaceId, epoch: number, address: BoxAddress): BoxClient;
  /** A client to the row's box if this replica knows where it is; whether it runs is another question. */
  known(row: WorkspaceRow): BoxClient | undefined;
  /** The same, asked of the runtime: another replica or an earlier process may have started it. */
  adopt(row: WorkspaceRow, signal: AbortSignal): Promise<BoxClient | undefined>;
  forget(id: WorkspaceId): void;
  /** Somebody acts on the workspace now. */
  touch(id: WorkspaceId): void;
  /** The last act that this replica saw, in milliseconds since 1970; now while a request is in flight. */
  touchedAt(id: WorkspaceId): number;
}

export function createBoxAccess(runtime: Runtime): BoxAccess {
  const clients = new Map<WorkspaceId, BoxClient>();
  const touches = new Map<WorkspaceId, number>();
  const inFlight = new Map<WorkspaceId, number>();

  const client: BoxAccess["client"] = (id, epoch, address) => {
    const before = clients.get(id);
    if (before?.epoch === epoch) return before;
    before?.close();
    const made = createBoxClient({
      epoch,
      dial: (signal) => runtime.dial(address, signal),
      hold() {
        inFlight.set(id, (inFlight.get(id) ?? 0) + 1);
        return () => {
          const left = (inFlight.get(id) ?? 1) - 1;
          if (left === 0) inFlight.delete(id);
          else inFlight.set(id, left);
          touches.set(id, Date.now());
        };
      },
    });
    clients.set(id, made);
    return made;
  };
  const hasBox = ({ box }: WorkspaceRow) => box === "running" || box === "frozen";

  return {
    client,
    known(row) {
      const box = clients.get(row.id);
      return hasBox(row) && box?.epoch === row.epoch ? box : undefined;
    },
    async adopt(row, signal) {
      if (!hasBox(row)) return undefined;
      const state = await runtime.inspect(row.id, signal);
      if (state.state !== "running" || state.epoch !== row.epoch) return undefined;
      return client(row.id, row.epoch, state.address);
    },
    forget(id) {
      clients.get(id)?.close();
      clients.delete(id);
      touches.delete(id);
    },
    touch: (id) => void touches.set(id, Date.now()),
    touchedAt: (id) => (inFlight.has(id) ? Date.now() : (touches.get(id) ?? 0)),
  };
}
