import { and, eq, isNull, lt, notInArray, or, sql } from "drizzle-orm";
import type { Failure } from "@alcove/contract/api/problem";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import type { WorkspaceId } from "@alcove/contract/ids";
import { bound } from "../database/bound.ts";
import type { Db } from "../database/database.ts";
import { replicas, workspaceJobs, type JobKind } from "../database/schema.ts";
import type { Wake } from "../events/wake.ts";
import type { Log } from "../log/log.ts";

/** How long each job may take before it is ended by force, in milliseconds. */
const deadlineMs: Record<JobKind, number> = {
  create: 120_000,
  start: 60_000,
  stop: 30_000,
  freeze: 10_000,
  thaw: 10_000,
  change: 30_000,
  delete: 120_000,
  revert: 120_000,
  restore: 120_000,
};

/**
 * Jobs that change what a workspace is. At most one is incomplete per workspace, by a unique index; each has a deadline; a job whose replica
 * is gone is closed by another one.
 */
export interface WorkspaceJobs {
  /** Runs `work` as the workspace's job; `workspace_busy` when another one does not end in time. */
  run<T>(
    workspace: WorkspaceId,
    kind: JobKind,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** True while this replica runs a job of the workspace. */
  isWorking(workspace: WorkspaceId): boolean;
  /** Ends the job that this replica runs for the workspace, if there is one. */
  interrupt(workspace: WorkspaceId, reason: CodedError): void;
  /** Closes jobs of replicas that are gone or over their deadline. */
  closeAbandoned(): Promise<void>;
  /** Resolves when no job of this replica runs any more. */
  drain(): Promise<void>;
}

export function createWorkspaceJobs(parts: { db: Db; wake: Wake; replica: string; log: Log }): WorkspaceJobs {
  const { db, wake, replica, log } = parts;
  const controllers = new Map<WorkspaceId, AbortController>();
  const working = new Set<Promise<unknown>>();
  /** Ends of this replica's jobs that are not stored yet. */
  const endings = new Map<WorkspaceId, Promise<void>>();

  const { workspaceId, kind: kindOf, deadlineAt, error: errorOf } = workspaceJobs;
  const beginning = db
    .insert(workspaceJobs)
    .values({
      workspaceId: bound("workspace", workspaceId),
      kind: bound("kind", kindOf),
      replicaId: replica,
      deadlineAt: bound("deadline", deadlineAt),
    })
    .onConflictDoNothing()
    .returning({ id: workspaceJobs.id })
    .prepare("job_begin");
  const ending = db
    .update(workspaceJobs)
    .set({ endedAt: sql`now()`, error: bound("error", errorOf) })
    .where(eq(workspaceJobs.id, sql.placeholder("id")))
    .prepare("job_end");

  const begin = async (workspace: WorkspaceId, kind: JobKind): Promise<number | undefined> => {
    const deadline = new Date(Date.now() + deadlineMs[kind] + 5_000);
    const [row] = await beginning.execute({ workspace, kind, deadline });
    return row?.id;
  };

  const closeAbandoned = async () => {
    const living = db.select({ id: replicas.id }).from(replicas);
    await db
      .update(workspaceJobs)
      .set({
        endedAt: sql`now()`,
        error: { code: "internal", detail: "The server that worked on it is gone.", hint: "Try again." },
      })
      .where(
        and(
          isNull(workspaceJobs.endedAt),
          or(lt(workspaceJobs.deadlineAt, sql`now()`), notInArray(workspaceJobs.replicaId, living)),
        ),
      );
  };

  const claim = async (workspace: WorkspaceId, kind: JobKind, signal: AbortSignal): Promise<number> => {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs[kind])]);
    for await (const _ of wake.watch(`workspace:${workspace}`, patience)) {
      // The end of this replica's own job wakes, too.
      if (controllers.has(workspace)) continue;
      const id = await begin(workspace, kind);
      if (id !== undefined) return id;
      await closeAbandoned();
      const again = await begin(workspace, kind);
      if (again !== undefined) return again;
    }
    signal.throwIfAborted();
    throw new CodedError("workspace_busy");
  };

  const end = async (workspace: WorkspaceId, id: number, error: Failure | null): Promise<void> => {
    try {
      await ending.execute({ id, error });
    } catch (failure) {
      log.warn({ err: failure, workspace }, "the end of a job was not stored; it is over at its deadline");
    }
    endings.delete(workspace);
    wake.notify(`workspace:${workspace}`);
  };

  const keepUntilDone = (work: Promise<unknown>): void => {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    working.add(settled);
    void settled.then(() => working.delete(settled));
  };

  const perform = async <T>(
    workspace: WorkspaceId,
    kind: JobKind,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ) => {
    await endings.get(workspace);
    const id = await claim(workspace, kind, signal);
    const controller = new AbortController();
    controllers.set(workspace, controller);
    const late = new CodedError(
      "workspace_start_failed",
      `The workspace did not ${kind} within ${deadlineMs[kind] / 1000} seconds.`,
    );
    const timer = setTimeout(() => controller.abort(late), deadlineMs[kind]);
    let failure: CodedError | undefined;
    try {
      return await work(controller.signal);
    } catch (error) {
      failure = toCodedError(controller.signal.aborted ? controller.signal.reason : error);
      if (failure.code === "internal") log.error({ err: error, workspace, job: kind }, "a job failed");
      throw failure;
    } finally {
      clearTimeout(timer);
      controllers.delete(workspace);
      const error = failure ? { code: failure.code, detail: failure.message, hint: failure.hint } : null;
      // Whoever waits for the work does not wait for the note of its end; the workspace's next job does.
      const noted = end(workspace, id, error);
      endings.set(workspace, noted);
      keepUntilDone(noted);
    }
  };

  return {
    closeAbandoned,
    run(workspace, kind, signal, work) {
      const job = perform(workspace, kind, signal, work);
      keepUntilDone(job);
      return job;
    },
    isWorking: (workspace) => controllers.has(workspace),
    interrupt: (workspace, reason) => controllers.get(workspace)?.abort(reason),
    async drain() {
      while (working.size > 0) await Promise.all(working);
    },
  };
}
