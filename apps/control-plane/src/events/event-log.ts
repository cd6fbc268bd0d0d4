import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { EventBody, RunEvent } from "@alcove/contract/api/event";
import { runEventSchema } from "@alcove/contract/api/event";
import { hasEnded } from "@alcove/contract/api/run";
import type { Db, Transaction } from "../database/database.ts";
import { runEvents, runs, type RunRow } from "../database/schema.ts";
import { noteChange } from "./notices.ts";
import type { Wake } from "./wake.ts";

export type NewEvent = EventBody & { readonly raw?: unknown };

/** Who writes: the worker that holds the run's lease, or a part of the control plane that may add to any run that has not ended. */
export type Writer = { readonly lease: number } | "any";

/** The run was taken over by another worker, or has ended: whoever sees this stops without a trace. */
export class StaleLease extends Error {
  override readonly name = "StaleLease";
}

export interface EventLog {
  /**
   * Appends events and changes the run's row in one transaction; `seq` has no gaps because the row is locked. Throws StaleLease when the
   * lease is not current or the run has ended. `also` runs in the same transaction. A change of state is noted for the owner.
   */
  append(
    run: string,
    writer: Writer,
    events: readonly NewEvent[],
    change?: Partial<RunRow>,
    also?: (tx: Transaction, row: RunRow) => Promise<void>,
  ): Promise<RunRow>;
  /** Stored events behind `after`, at most `limit`, oldest first. */
  read(run: string, after: number, limit?: number): Promise<RunEvent[]>;
  /** Stored events behind `after`: at once those that there are, if only none, then the rest as they come; ends after the run's last. */
  follow(run: string, after: number, signal: AbortSignal): AsyncGenerator<RunEvent[]>;
}

export function createEventLog({ db, wake }: { db: Db; wake: Wake }): EventLog {
  const read: EventLog["read"] = async (run, after, limit = 500) => {
    const rows = await db
      .select()
      .from(runEvents)
      .where(and(eq(runEvents.runId, run), gt(runEvents.seq, after)))
      .orderBy(asc(runEvents.seq))
      .limit(limit);
    return rows.map((row) =>
      runEventSchema.parse({ run: row.runId, seq: row.seq, at: row.at.toISOString(), kind: row.kind, data: row.data }),
    );
  };

  return {
    read,
    async append(run, writer, events, change = {}, also) {
      const row = await db.transaction(async (tx) => {
        const [before] = await tx.select().from(runs).where(eq(runs.id, run)).for("update");
        if (!before || hasEnded(before.state)) throw new StaleLease(run);
        if (writer !== "any" && before.lease !== writer.lease) throw new StaleLease(run);
        if (events.length > 0) {
          await tx.insert(runEvents).values(
            events.map(({ kind, data, raw }, index) => ({
              runId: run,
              seq: before.lastSeq + 1 + index,
              kind,
              data: jsonWithoutNul(data),
              raw: raw === undefined ? null : jsonWithoutNul(raw),
            })),
          );
        }
        const [after] = await tx
          .update(runs)
          .set({ ...change, lastSeq: sql`${runs.lastSeq} + ${events.length}` })
          .where(eq(runs.id, run))
          .returning();
        if (!after) throw new StaleLease(run);
        if (change.state !== undefined)
          await noteChange(tx, { owner: after.ownerId, resource: "run", id: run, workspace: after.workspaceId });
        await also?.(tx, after);
        return after;
      });
      wake.notify(`run:${run}`);
      if (change.state !== undefined) wake.notify(`owner:${row.ownerId}`);
      return row;
    },
    async *follow(run, after, signal) {
      let cursor = after;
      let asked = false;
      for await (const _ of wake.watch(`run:${run}`, signal)) {
        for (;;) {
          const [row] = await db
            .select({ state: runs.state, lastSeq: runs.lastSeq })
            .from(runs)
            .where(eq(runs.id, run));
          if (!row) return;
          const batch = await read(run, cursor);
          if (batch.length > 0 || !asked) yield batch;
          asked = true;
          cursor = batch.at(-1)?.seq ?? cursor;
          if (hasEnded(row.state) && cursor >= row.lastSeq) return;
          if (batch.length < 500) break;
        }
      }
    },
  };
}

/** PostgreSQL's jsonb cannot hold U+0000; agents and programs do print it. */
function jsonWithoutNul(value: unknown): unknown {
  const text = JSON.stringify(value);
  if (!text.includes("\\u0000")) return value;
  const clean: unknown = JSON.parse(text.replaceAll("\\u0000", "\\ufffd"));
  return clean;
}
