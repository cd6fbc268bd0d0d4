import { and, asc, desc, eq, gt, lt, sql } from "drizzle-orm";
import {
  workspaceEventSchema,
  type WorkspaceEvent,
  type WorkspaceEventBody,
} from "@alcove/contract/api/workspace-event";
import type { WorkspaceId } from "@alcove/contract/ids";
import type { Db } from "../database/database.ts";
import { workspaceEvents, workspaces } from "../database/schema.ts";
import { noteChange } from "../events/notices.ts";
import type { Wake } from "../events/wake.ts";
import { eventText } from "./event-text.ts";
import { keptEvents } from "./workspace-statements.ts";

/** A denial of the same host within this time is counted, not told again. */
const foldSeconds = 60;

export interface WorkspaceEvents {
  /** Stores what happened and tells the page; nothing happens when the workspace is gone. */
  append(workspace: WorkspaceId, body: WorkspaceEventBody): Promise<void>;
  /** Ascending behind `after`, else the newest first, before `before` if it is given. */
  page(
    workspace: WorkspaceId,
    range: { after?: number | undefined; before?: number | undefined; limit: number },
  ): Promise<WorkspaceEvent[]>;
}

export function createWorkspaceEvents({ db, wake }: { db: Db; wake: Wake }): WorkspaceEvents {
  const view = (row: typeof workspaceEvents.$inferSelect): WorkspaceEvent =>
    workspaceEventSchema.parse({
      workspace: row.workspaceId,
      seq: row.seq,
      at: row.at.toISOString(),
      text: row.text,
      kind: row.kind,
      data: row.data,
    });

  return {
    async append(workspace, body) {
      const owner = await db.transaction(async (tx) => {
        // The row's lock makes the numbers of concurrent events follow each other without a gap.
        const locked = tx.select({ ownerId: workspaces.ownerId }).from(workspaces);
        const [row] = await locked.where(eq(workspaces.id, workspace)).for("update");
        if (!row) return undefined;
        const ofWorkspace = eq(workspaceEvents.workspaceId, workspace);
        const [last] = await tx
          .select()
          .from(workspaceEvents)
          .where(ofWorkspace)
          .orderBy(desc(workspaceEvents.seq))
          .limit(1);
        if (body.kind === "network.denied") {
          const same = and(
            ofWorkspace,
            eq(workspaceEvents.kind, body.kind),
            sql`${workspaceEvents.data}->>'host' = ${body.data.host}`,
            sql`${workspaceEvents.at} > now() - make_interval(secs => ${foldSeconds})`,
          );
          const [earlier] = await tx.select().from(workspaceEvents).where(same).limit(1);
          if (earlier) {
            const times = sql`(${workspaceEvents.data}->>'times')::int + ${body.data.times}::int`;
            await tx
              .update(workspaceEvents)
              .set({ data: sql`jsonb_set(${workspaceEvents.data}, '{times}', to_jsonb(${times}))` })
              .where(and(ofWorkspace, eq(workspaceEvents.seq, earlier.seq)));
            return undefined;
          }
        }
        const seq = (last?.seq ?? 0) + 1;
        await tx
          .insert(workspaceEvents)
          .values({ workspaceId: workspace, seq, kind: body.kind, text: eventText(body), data: body.data });
        if (seq > keptEvents)
          await tx.delete(workspaceEvents).where(and(ofWorkspace, lt(workspaceEvents.seq, seq - keptEvents + 1)));
        await noteChange(tx, { owner: row.ownerId, resource: "workspace", id: workspace, workspace });
        return row.ownerId;
      });
      if (owner === undefined) return;
      wake.notify(`workspace:${workspace}`);
      wake.notify(`owner:${owner}`);
    },

    async page(workspace, { after, before, limit }) {
      const ofWorkspace = eq(workspaceEvents.workspaceId, workspace);
      const range =
        after !== undefined
          ? gt(workspaceEvents.seq, after)
          : before === undefined
            ? undefined
            : lt(workspaceEvents.seq, before);
      const rows = await db
        .select()
        .from(workspaceEvents)
        .where(and(ofWorkspace, range))
        .orderBy(after === undefined ? desc(workspaceEvents.seq) : asc(workspaceEvents.seq))
        .limit(limit);
      return rows.map(view);
    },
  };
}
