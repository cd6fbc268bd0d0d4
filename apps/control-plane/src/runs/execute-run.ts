import { eq, sql } from "drizzle-orm";
import { hasEnded, type RunState } from "@alcove/contract/api/run";
import type { EventBody, EventData } from "@alcove/contract/api/event";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import { newId, parseId, type RunId, type SnapshotId, type WorkspaceId } from "@alcove/contract/ids";
import { boxHealthSchema } from "@alcove/contract/box/health";
import type { AgentShelf } from "../agents/agent-shelf.ts";
import type { Db } from "../database/database.ts";
import { runFiles, runs, type RunRow } from "../database/schema.ts";
import { StaleLease, type EventLog } from "../events/event-log.ts";
import type { Live } from "../events/live.ts";
import { pause, type Wake } from "../events/wake.ts";
import { type Log, withTrace } from "../log/log.ts";
import type { Providers } from "../providers/providers.ts";
import type { Snapshots } from "../workspaces/snapshots.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";
import { fileLimit, isDeliverable, isUsersChange } from "./deliverables.ts";
import type { DriveAgent, Outcome } from "./drive-agent.ts";
import { expireApprovals } from "./approvals.ts";

interface Parts {
  readonly db: Db;
  readonly events: EventLog;
  readonly live: Live;
  readonly wake: Wake;
  readonly workspaces: Workspaces;
  readonly snapshots: Snapshots;
  readonly agents: AgentShelf;
  readonly providers: Providers;
  readonly drive: DriveAgent;
  readonly stopping: AbortSignal;
  readonly log: Log;
}

/** A run in the hands of this worker, until it ends or another one takes it over. */
interface Held {
  readonly id: RunId;
  readonly lease: number;
  readonly workspace: WorkspaceId;
  readonly row: RunRow;
  readonly signal: AbortSignal;
}

/** How often a run is begun again after a failure that nobody foresaw. */
const attempts = 8;
const longestPauseMs = 5_000;

class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/**
 * Executes one run from wherever it stands to its end: workspace, preflight, checkpoint, agent, what it made. Called again after a crash of
 * anything; each step finds out what is done, and every write carries the lease.
 */
export function createRunExecution(parts: Parts): (run: string) => Promise<void> {
  const { db, events, live, wake, workspaces, snapshots, agents, providers, drive, stopping, log } = parts;

  const claim = async (run: string): Promise<RunRow | undefined> => {
    const [row] = await db
      .update(runs)
      .set({ lease: sql`${runs.lease} + 1` })
      .where(eq(runs.id, run))
      .returning();
    return row && !hasEnded(row.state) ? row : undefined;
  };

  const step = (held: Held, name: EventData<"step">["name"], state: EventData<"step">["state"], detail: string) =>
    events.append(held.id, { lease: held.lease }, [{ kind: "step", data: { name, state, detail } }]);

  const prepare = async (held: Held): Promise<void> => {
    if (held.row.state === "running" || held.row.state === "waiting") return;
    if (held.row.state === "queued") {
      await events.append(
        held.id,
        { lease: held.lease },
        [{ kind: "run.state", data: { state: "preparing", error: null } }],
        {
          state: "preparing",
          startedAt: new Date(),
        },
      );
    }
    const begun = performance.now();
    const box = await workspaces.box(held.workspace, held.signal);
    const health = await box.json(boxHealthSchema, { path: "/v1/health", signal: held.signal });
    if (!health.diskWritable) throw new CodedError("workspace_full");
    await step(held, "workspace", "done", `Workspace ready in ${Math.round(performance.now() - begun)} ms`);
    await preflight(held);
    await checkpoint(held);
  };

  const preflight = async (held: Held): Promise<void> => {
    const agent = agents.require(held.row.agent);
    const provider = await providers.choose(held.row.ownerId, agent.providers);
    if (!provider) {
      const kinds = agent.providers.map((kind) =>
        kind === "anthropic" ? "Anthropic" : kind === "openai" ? "OpenAI" : "OpenAI-compatible",
      );
      throw new CodedError("model_key_missing", `${agent.title} needs a key for ${kinds.join(" or ")}.`);
    }
    await providers.requireWorking(held.row.ownerId, provider.name, held.signal);
    if (!(await agents.isInstalled(agent.name))) {
      await step(held, "agent", "started", `Installing ${agent.title} ${agent.version}; this happens once`);
      await agents.install(agent.name, held.signal);
    }
    await step(held, "preflight", "done", `${agent.title} with ${provider.name}`);
  };

  const checkpoint = async (held: Held): Promise<void> => {
    const [row] = await db.select({ snapshot: runs.snapshotBefore }).from(runs).where(eq(runs.id, held.id));
    if (row?.snapshot) return;
    const id = await takeSnapshot(held);
    await events.append(
      held.id,
      { lease: held.lease },
      [{ kind: "checkpoint", data: { snapshot: id, when: "before" } }],
      { snapshotBefore: id },
    );
  };

  const takeSnapshot = async (held: Held): Promise<SnapshotId> => {
    const id = newId("snapshot");
    await snapshots.take(held.workspace, id, { name: null, run: held.id }, held.signal);
    return id;
  };

  /** What the turn changed, from the checkpoint to now. */
  const collect = async (
    held: Held,
  ): Promise<{ bodies: EventBody[]; files: (typeof runFiles.$inferInsert)[]; change: Partial<RunRow> }> => {
    const [row] = await db.select({ before: runs.snapshotBefore }).from(runs).where(eq(runs.id, held.id));
    if (!row?.before) return { bodies: [], files: [], change: {} };
    const before = parseId("snapshot", row.before);
    const after = await takeSnapshot(held);
    const all = (await workspaces.changes(held.workspace, before, after, held.signal)).filter(isUsersChange);
    const kept = all.slice(0, fileLimit);
    const bodies: EventBody[] = kept.map((change) => ({ kind: "file.changed", data: change }));
    if (all.length > kept.length) {
      bodies.push({
        kind: "notice",
        data: { level: "info", text: `${all.length} files changed; the first ${fileLimit} are listed.` },
      });
    }
    bodies.push({ kind: "checkpoint", data: { snapshot: after, when: "after" } });
    return {
      bodies,
      files: kept.map((change) => ({ runId: held.id, ...change, deliverable: isDeliverable(change) })),
      change: { snapshotAfter: after, undo: kept.length > 0 ? "possible" : "none" },
    };
  };

  const finish = async (held: Held, state: RunState, error: CodedError | null): Promise<void> => {
    let collected: Awaited<ReturnType<typeof collect>> = { bodies: [], files: [], change: {} };
    try {
      collected = await collect({ ...held, signal: stopping });
    } catch (failure) {
      if (failure instanceof StaleLease || stopping.aborted) throw failure;
      log.error({ err: failure, run: held.id }, "the turn's files could not be listed");
      const text = "What this turn changed could not be listed; the files themselves are in the workspace.";
      collected.bodies.push({ kind: "notice", data: { level: "warning", text } });
    }
    const failure = error && { code: error.code, detail: error.message, hint: error.hint };
    const bodies: EventBody[] = [...collected.bodies, { kind: "run.state", data: { state, error: failure } }];
    const change: Partial<RunRow> = { ...collected.change, state, error: failure, endedAt: new Date() };
    await expireApprovals(held.id, { db, events });
    await events.append(held.id, { lease: held.lease }, bodies, change, async (tx) => {
      if (collected.files.length > 0) await tx.insert(runFiles).values(collected.files).onConflictDoNothing();
    });
    live.close(held.id);
    log.info({ run: held.id, state, code: error?.code }, "run ended");
  };

  const endFor = (outcome: Outcome): [RunState, CodedError | null] => {
    switch (outcome.type) {
      case "done":
        return ["succeeded", null];
      case "cancelled":
        return ["cancelled", null];
      case "failed":
        return ["failed", outcome.error];
      case "died":
        return ["interrupted", outcome.error];
    }
  };

  const work = async (held: Held, cancel: AbortSignal, attempt: number): Promise<void> => {
    try {
      await prepare(held);
      const outcome = await drive({ run: held.id, lease: held.lease, row: held.row, cancel, signal: stopping });
      await finish(held, ...endFor(outcome));
    } catch (error) {
      if (error instanceof StaleLease || stopping.aborted) throw error;
      if (cancel.aborted) return finish(held, "cancelled", null);
      const coded = toCodedError(error);
      // What was not foreseen, such as a database that restarts, may pass.
      if (coded.code === "internal" && attempt < attempts) throw error;
      if (coded.code === "internal") log.error({ err: error, run: held.id }, "a run failed");
      await finish(held, "failed", coded);
    }
  };

  const once = async (run: string, attempt: number): Promise<void> => {
    const row = await claim(run);
    if (!row) return;
    const over = new AbortController();
    const cancel = new AbortController();
    const watching = watchCancel(row.id, cancel, over.signal);
    const signal = AbortSignal.any([cancel.signal, stopping]);
    const workspace = parseId("workspace", row.workspaceId);
    const held: Held = { id: parseId("run", row.id), lease: row.lease, workspace, row, signal };
    try {
      await withTrace(row.traceId, () => work(held, cancel.signal, attempt));
    } finally {
      over.abort();
      await watching;
    }
  };

  return async (run) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(run, attempt);
      } catch (error) {
        // A server that stops leaves the run as it is: the workflow stays pending and is taken over.
        if (stopping.aborted) await new Promise<never>(() => undefined);
        if (error instanceof StaleLease) return log.info({ run }, "another server goes on with this run");
        log.warn({ err: error, run, attempt }, "a run was disturbed; going on from where it stands");
        await pause(Math.min(100 * 2 ** attempt, longestPauseMs), stopping);
      }
    }
  };

  async function watchCancel(run: string, cancel: AbortController, signal: AbortSignal): Promise<void> {
    for await (const _ of wake.watch(`run:${run}`, signal)) {
      try {
        const [row] = await db.select({ at: runs.cancelRequestedAt }).from(runs).where(eq(runs.id, run));
        if (row?.at && !cancel.signal.aborted) cancel.abort(new Cancelled());
      } catch (error) {
        log.warn({ err: error, run }, "could not see whether the run is to be cancelled; looking again");
      }
    }
  }
}
