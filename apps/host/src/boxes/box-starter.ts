import type { WorkspaceId } from "@alcove/contract/ids";
import type { ProcessMark } from "../kernel/processes.ts";
import type { BoxRecord } from "./box-record.ts";

/** A box that runs, and the first of its ids on this machine. */
export type Started = { firstId: number; running: NonNullable<BoxRecord["running"]> };

/** How the boxes of one runtime begin, and what of them only that runtime knows. All else is the same for each. */
export interface BoxStarter {
  /** The box is about to be started: what takes long and costs little may begin. Nothing is left of it when no start comes. */
  expect(record: BoxRecord): void;
  /** Starts it in a box that was made ahead; null where there is none for it. What a failure leaves is taken away as after `bringUp`. */
  settle(record: BoxRecord): Promise<Started | null>;
  /** Starts the box, of which nothing is there; `clear` takes away what a failure leaves. */
  bringUp(record: BoxRecord): Promise<Started>;
  /** Takes over a box that an earlier host process started. */
  adopt(id: WorkspaceId, init: ProcessMark): void;
  /** Opens the way out of a box that runs once more, whose process has ended. */
  reopenWayOut(record: BoxRecord, init: ProcessMark): Promise<void>;
  /** Tells of new limits of a box that runs. */
  limit(record: BoxRecord): Promise<void>;
  /** Removes what is left of a box whose processes have ended; nothing happens when there is nothing. */
  clear(id: WorkspaceId): Promise<void>;
  /** Where its daemon listens. */
  socketOf(id: WorkspaceId): string;
  /** The box's user as the machine counts it. */
  userOf(record: BoxRecord): number;
  /** What the box has written that is not in its log file. */
  log(id: WorkspaceId): Promise<string>;
}
