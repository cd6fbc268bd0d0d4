import { and, asc, desc, eq, inArray, isNull, lt, or, sql } from "drizzle-orm";
import { hasEnded, type Run, type RunState, type Session } from "@alcove/contract/api/run";
import { CodedError } from "@alcove/contract/errors";
import { isId, parseId, type RunId, type UserId } from "@alcove/contract/ids";
import type { Readable } from "node:stream";
import type { Db } from "../database/database.ts";
import { runEvents, runFiles, runs, sessions, workspaces as workspaceRows, type RunRow } from "../database/schema.ts";
import type { EventLog } from "../events/event-log.ts";
import { StaleLease } from "../events/event-log.ts";
import { noteChange } from "../events/notices.ts";
import type { Wake } from "../events/wake.ts";
import { costUsd } from "../gateway/prices.ts";
import type { MeteredUsage } from "../gateway/usage.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";
import { runView } from "./run-view.ts";

export interface RunFilter {
  readonly workspace?: string | undefined;
  readonly session?: string | undefined;
  readonly states?: readonly RunState[] | undefined;
  readonly limit: number;
  /** Position of the last item of the page before. */
  readonly before?: string | undefined;
}

export interface Runs {
  get(owner: UserId, id: string): Promise<Run>;
  list(owner: UserId, filter: RunFilter): Promise<{ items: Run[]; next: string | null }>;
  sessions(owner: UserId, workspace: string): Promise<Session[]>;
  /** Resolves when the run has ended or the signal aborts, with the run as it is then. */
  wait(owner: UserId, id: string, signal: AbortSignal): Promise<Run>;
  /** A queued run ends at once; a running one is told to stop. `run_finished` when it has ended. */
  cancel(owner: UserId, id: string): Promise<Run>;
  /** Puts back what the run changed; `run_not_undoable`. */
  undo(owner: UserId, id: string, signal: AbortSignal): Promise<{ reverted: string[]; kept: string[] }>;
  /** A file as the run left it; `file_not_found`. */
  file(
    owner: UserId,
    id: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ size: number | null; stream: Readable }>;
  addUsage(run: RunId, usage: MeteredUsage): Promise<void>;
}

export function createRuns({
  db,
  events,
  wake,
  workspaces,
}: {
  db: Db;
  events: EventLog;
  wake: Wake;
  workspaces: Workspaces;
}): Runs {
  const owned = async (owner: UserId, id: string): Promise<{ row: RunRow; workspaceName: string }> => {
    if (isId("run", id)) {
      const [found] = await db
        .select({ row: runs, workspaceName: workspaceRows.name })
        .from(runs)
        .innerJoin(workspaceRows, eq(workspaceRows.id, runs.workspaceId))
        .where(and(eq(runs.id, id), eq(runs.ownerId, owner)));
      if (found) return found;
    }
    throw new CodedError("not_found", `There is no run "${id.slice(0, 80)}".`);
  };

  const filesOf = async (ids: string[]) => {
    if (ids.length === 0) return [];
    return db
      .select()
      .from(runFiles)
      .where(inArray(runFiles.runId, ids))
      .orderBy(desc(runFiles.deliverable), asc(runFiles.path));
  };

  const get = async (owner: UserId, id: string): Promise<Run> => {
    const { row, workspaceName } = await owned(owner, id);
    return runView(row, workspaceName, await filesOf([row.id]));
  };

  return {
    get,

    async list(owner, { workspace, session, states, limit, before }) {
      const [created, id] = before?.split("~") ?? [];
      const older =
        created && id
          ? or(lt(runs.createdAt, new Date(created)), and(eq(runs.createdAt, new Date(created)), lt(runs.id, id)))
          : undefined;
      const found = await db
        .select({ row: runs, workspaceName: workspaceRows.name })
        .from(runs)
        .innerJoin(workspaceRows, eq(workspaceRows.id, runs.workspaceId))
        .where(
          and(
            eq(runs.ownerId, owner),
            workspace === undefined
              ? undefined
              : or(eq(runs.workspaceId, workspace), eq(workspaceRows.name, workspace)),
            session === undefined ? undefined : eq(runs.sessionId, session),
            states && states.length > 0 ? inArray(runs.state, [...states]) : undefined,
            older,
          ),
        )
        .orderBy(desc(runs.createdAt), desc(runs.id))
        .limit(limit + 1);
      const page = found.slice(0, limit);
      const files = await filesOf(page.map(({ row }) => row.id));
      const last = page.at(-1)?.row;
      return {
        items: page.map(({ row, workspaceName }) =>
          runView(
            row,
            workspaceName,
            files.filter((file) => file.runId === row.id),
          ),
        ),
        next: found.length > limit && last ? `${last.createdAt.toISOString()}~${last.id}` : null,
      };
    },

    async sessions(owner, workspace) {
      const lastRun = db
        .select({ id: runs.id, state: runs.state })
        .from(runs)
        .where(eq(runs.sessionId, sessions.id))
        .orderBy(desc(runs.createdAt))
        .limit(1)
        .as("last_run");
      const found = await db
        .select({ session: sessions, lastId: lastRun.id, lastState: lastRun.state })
        .from(sessions)
        .leftJoinLateral(lastRun, sql`true`)
        .where(and(eq(sessions.ownerId, owner), eq(sessions.workspaceId, workspace)))
        .orderBy(desc(sessions.createdAt))
        .limit(200);
      return found.map(({ session, lastId, lastState }) => ({
        id: session.id,
        workspace: session.workspaceId,
        agent: session.agent,
        title: session.title,
        createdAt: session.createdAt.toISOString(),
        lastRun: lastId && lastState ? { id: lastId, state: lastState } : null,
      }));
    },

    async wait(owner, id, signal) {
      const { row } = await owned(owner, id);
      for await (const _ of wake.watch(`run:${row.id}`, signal)) {
        const [now] = await db.select({ state: runs.state }).from(runs).where(eq(runs.id, row.id));
        if (!now || hasEnded(now.state)) break;
      }
      return get(owner, id);
    },

    async cancel(owner, id) {
      const { row } = await owned(owner, id);
      if (hasEnded(row.state)) throw new CodedError("run_finished");
      const ended = await db.transaction(async (tx) => {
        const [queued] = await tx
          .update(runs)
          .set({
            state: "cancelled",
            cancelRequestedAt: new Date(),
            endedAt: new Date(),
            lastSeq: sql`${runs.lastSeq} + 1`,
          })
          .where(and(eq(runs.id, row.id), eq(runs.state, "queued")))
          .returning();
        if (!queued) {
          await tx
            .update(runs)
            .set({ cancelRequestedAt: new Date() })
            .where(and(eq(runs.id, row.id), isNull(runs.cancelRequestedAt)));
          return false;
        }
        await tx
          .insert(runEvents)
          .values({ runId: row.id, seq: queued.lastSeq, kind: "run.state", data: { state: "cancelled", error: null } });
        await noteChange(tx, { owner, resource: "run", id: row.id, workspace: row.workspaceId });
        return true;
      });
      wake.notify(`run:${row.id}`);
      if (ended) wake.notify(`owner:${owner}`);
      return get(owner, id);
    },

    async undo(owner, id, signal) {
      const { row } = await owned(owner, id);
      if (!hasEnded(row.state) || !row.snapshotBefore || !row.snapshotAfter || row.undo !== "possible")
        throw new CodedError("run_not_undoable");
      const [from, to] = [parseId("snapshot", row.snapshotBefore), parseId("snapshot", row.snapshotAfter)];
      const result = await workspaces.revert(parseId("workspace", row.workspaceId), from, to, signal);
      await db.update(runs).set({ undo: "done" }).where(eq(runs.id, row.id));
      await noteChange(db, { owner, resource: "run", id: row.id, workspace: row.workspaceId });
      wake.notify(`owner:${owner}`);
      return result;
    },

    async file(owner, id, path, signal) {
      const { row } = await owned(owner, id);
      const [file] = await db
        .select()
        .from(runFiles)
        .where(and(eq(runFiles.runId, row.id), eq(runFiles.path, path)));
      if (!file || !row.snapshotAfter || file.change === "deleted")
        throw new CodedError("file_not_found", `The run left no file "${path.slice(0, 200)}".`);
      const stream = await workspaces.readSnapshot(
        parseId("workspace", row.workspaceId),
        parseId("snapshot", row.snapshotAfter),
        path,
        signal,
      );
      return { size: file.size, stream };
    },

    async addUsage(run, { model, estimated, ...tokens }) {
      const cost = costUsd({ model, estimated, ...tokens });
      const sums = {
        inputTokens: sql`${runs.inputTokens} + ${tokens.inputTokens}`,
        outputTokens: sql`${runs.outputTokens} + ${tokens.outputTokens}`,
        cacheReadTokens: sql`${runs.cacheReadTokens} + ${tokens.cacheReadTokens}`,
        cacheWriteTokens: sql`${runs.cacheWriteTokens} + ${tokens.cacheWriteTokens}`,
        requests: sql`${runs.requests} + ${tokens.requests}`,
        ...(cost === null ? {} : { costUsd: sql`coalesce(${runs.costUsd}, 0) + ${cost}` }),
      };
      try {
        await events.append(
          run,
          "any",
          [{ kind: "usage", data: { ...tokens, model, estimated, costUsd: cost } }],
          {},
          async (tx) => {
            await tx.update(runs).set(sums).where(eq(runs.id, run));
          },
        );
      } catch (error) {
        if (!(error instanceof StaleLease)) throw error;
        // The run ended while the answer still came: its events are closed, its sums are not.
        await db.update(runs).set(sums).where(eq(runs.id, run));
      }
    },
  };
}
