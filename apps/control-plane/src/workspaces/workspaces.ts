import { abortable } from "@alcove/base/abortable";
import { CodedError } from "@alcove/contract/errors";
import type { RuntimeName } from "@alcove/contract/host";
import type { SnapshotId, WorkspaceId } from "@alcove/contract/ids";
import type { Change, UpdateWorkspace } from "@alcove/contract/api/workspace";
import type { BoxClient } from "../box/box-client.ts";
import type { Log } from "../log/log.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Templates } from "../templates/templates.ts";
import type { VolumeStore } from "../volumes/volume-store.ts";
import type { BoxAccess } from "./box-access.ts";
import { boxSpec, type BoxLife, type Start } from "./box-life.ts";
import { createCreation, type Origin, type WorkspaceWish } from "./creation.ts";
import type { WorkspaceJobs } from "./jobs.ts";
import type { WorkspaceEvents } from "./workspace-events.ts";
import type { WorkspaceRow, WorkspaceStore } from "./workspace-store.ts";

export interface Workspaces {
  /** Stores the workspace and begins to make it; `name_taken`, `host_full`. The answer is `ready`, or `creating` and becomes `ready` or `failed`. */
  create(owner: string, wish: WorkspaceWish, origin?: Origin): Promise<WorkspaceRow>;
  /** Stores the change and applies it to the box if it runs; `name_taken`. */
  change(row: WorkspaceRow, wish: UpdateWorkspace, signal: AbortSignal): Promise<WorkspaceRow>;
  /** A client to the workspace's running box, which is started first when it sleeps or has died. */
  box(id: WorkspaceId, signal: AbortSignal): Promise<BoxClient>;
  /** The same, without waiting until all of its start or thaw is over: what it is asked it answers after that. */
  reach(id: WorkspaceId, signal: AbortSignal): Promise<BoxClient>;
  /** A client to the box if it runs, without waking it. */
  awakeBox(row: WorkspaceRow): BoxClient | undefined;
  /** Looks whether the box that did not answer still runs; when it does not, the next `box` starts a new one. */
  doubt(id: WorkspaceId, epoch: number, signal: AbortSignal): Promise<void>;
  stop(id: WorkspaceId, why: string, signal: AbortSignal): Promise<void>;
  /** Does the work as the workspace's job while its box is stopped; the box is started again, with these words, if it ran. */
  whileStopped<T>(
    id: WorkspaceId,
    kind: "restore",
    why: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** Takes the processor from the box of a workspace that nobody has used since the row was read. */
  freeze(row: WorkspaceRow, why: string, signal: AbortSignal): Promise<void>;
  /** Starts the box if it does not run, for a reason that is shown. */
  wakeUp(id: WorkspaceId, why: string, signal: AbortSignal): Promise<void>;
  /** Somebody uses the box over a connection that is open already: it is thawed if it is frozen. */
  touch(id: WorkspaceId): void;
  /** Marks the workspace as deleted for everybody at once; the rest happens in the background and is repeated until it is done. */
  remove(row: WorkspaceRow): Promise<void>;
  snapshot(id: WorkspaceId, snapshot: SnapshotId, signal: AbortSignal): Promise<void>;
  changes(id: WorkspaceId, from: SnapshotId, to: SnapshotId | null, signal: AbortSignal): Promise<Change[]>;
  revert(
    id: WorkspaceId,
    from: SnapshotId,
    to: SnapshotId,
    signal: AbortSignal,
  ): Promise<{ reverted: string[]; kept: string[] }>;
  readSnapshot: VolumeStore["readSnapshot"];
  /** The end of the box's log; also after it has ended. */
  log: Runtime["log"];
  /** Puts right what a crash left: half-made, half-deleted, or said to run when it does not. Repeated while the server runs. */
  reconcile(signal: AbortSignal): Promise<void>;
  drain(): Promise<void>;
}

interface Parts {
  readonly store: WorkspaceStore;
  readonly jobs: WorkspaceJobs;
  readonly runtime: Runtime;
  /** Gives `runtime_unavailable` for a runtime that this server cannot use. */
  readonly requireRuntime: (name: RuntimeName, signal: AbortSignal) => Promise<void>;
  readonly volumes: VolumeStore;
  readonly templates: Templates;
  readonly access: BoxAccess;
  readonly life: BoxLife;
  readonly events: WorkspaceEvents;
  readonly log: Log;
}

export function createWorkspaces(parts: Parts): Workspaces {
  const { store, jobs, runtime, volumes, access, life, events, log } = parts;
  const background = new AbortController();
  const ending = background.signal;
  const creation = createCreation({ ...parts, ending });

  const keepChange = async (
    row: WorkspaceRow,
    { name, limits, network, lifetime }: UpdateWorkspace,
  ): Promise<WorkspaceRow | undefined> => {
    const changes = {
      ...(name !== undefined && { name }),
      ...(limits && { limits }),
      ...(network && { network }),
      ...(lifetime && { lifetime }),
    };
    if (Object.keys(changes).length === 0) return row;
    try {
      return await store.update(row.id, changes);
    } catch (error) {
      if (isUniqueViolation(error)) throw new CodedError("name_taken", `You already have a workspace named "${name}".`);
      throw error;
    }
  };

  const removeForGood = (id: WorkspaceId): Promise<void> =>
    jobs.run(id, "delete", background.signal, async (signal) => {
      await runtime.destroy(id, signal);
      await volumes.destroy(id, signal);
      access.forget(id);
      await store.remove(id);
    });

  const inBackground = (work: Promise<unknown>, what: string, id: WorkspaceId) => {
    work.catch((error: unknown) => log.warn({ err: error, workspace: id }, what));
  };

  const frozenLooks = new Map<WorkspaceId, Promise<void>>();
  /** One look at the row at a time, however fast somebody types. */
  const thawIfFrozen = (id: WorkspaceId): Promise<void> => {
    const look = async (): Promise<void> => {
      const row = await store.current(id);
      if (row?.box === "frozen") await life.thaw(row, "Awake: in use", background.signal);
    };
    const current = frozenLooks.get(id) ?? look().finally(() => frozenLooks.delete(id));
    frozenLooks.set(id, current);
    return current;
  };

  const repair = async (row: WorkspaceRow, signal: AbortSignal): Promise<void> => {
    if (row.state === "deleting") return removeForGood(row.id);
    if (row.state === "creating") return creation.make(row, signal);
    if (row.box === "none" || row.box === "failed") return;
    const state = await runtime.inspect(row.id, signal);
    if (state.state === "running" && state.epoch === row.epoch) {
      if (row.box === "running" && state.frozen) return life.thaw(row, row.why, signal);
      if (row.box === "running" || row.box === "frozen") return;
    }
    // Its end is about to be told, and what follows from it done.
    if (state.state === "stopped" && state.died) return;
    if (row.box === "starting" && (await jobsIncomplete(row))) return;
    access.forget(row.id);
    // Half started or half stopped: nobody is left who knows more about it than the row.
    if (state.state === "running") await runtime.stop(row.id, row.epoch, signal);
    const why = "Asleep: its processes ended with the server's restart";
    const restartAt = row.lifetime.keepAlive ? new Date() : null;
    await store.update(row.id, { state: "hibernated", box: "none", why, restartAt }, { epoch: row.epoch });
  };

  const jobsIncomplete = async (row: WorkspaceRow): Promise<boolean> => {
    await jobs.closeAbandoned();
    return jobs.isWorking(row.id);
  };

  /** The box of a start that is under way, or of a new one, as soon as it answers; that it does is stored meanwhile. */
  const startFor = async (id: WorkspaceId, signal: AbortSignal): Promise<BoxClient> => {
    const current = life.starting(id);
    const box = await (current && abortable(current.answering, signal).catch(() => undefined));
    if (current && box) return box.during(() => current.stored);
    signal.throwIfAborted();
    const begun = Promise.withResolvers<Start>();
    const started = jobs.run(id, "start", signal, (within) => {
      const start = life.start(id, "Awake: in use", within);
      begun.resolve(start);
      return start.stored;
    });
    const answering = begun.promise.then((start) => start.answering);
    return (await Promise.race([answering, started])).during(() => started);
  };

  const reach: Workspaces["reach"] = async (id, signal) => {
    // Before the look: a freeze either sees the touch, or is seen.
    access.touch(id);
    const row = await store.current(id);
    if (!row) throw new CodedError("not_found");
    if (row.state === "deleting") throw new CodedError("workspace_deleting");
    const there = access.known(row) ?? (await access.adopt(row, signal));
    // Until it has had a box, what it lies over may not be there yet.
    if (!there && row.templateRoot !== null && row.startedAt === null) await creation.requireTemplate(row, signal);
    if (!there) return startFor(id, signal);
    return row.box === "frozen" ? there.during(() => life.thaw(row, "Awake: in use", signal)) : there;
  };

  return {
    create: creation.create,

    change: (row, wish, signal) =>
      jobs.run(row.id, "change", signal, async (within) => {
        const before = await store.byId(row.id);
        const changed = before && (await keepChange(before, wish));
        if (!before || !changed) throw new CodedError("workspace_deleting");
        try {
          if (changed.epoch > 0) await runtime.update(boxSpec(changed), within);
        } catch (error) {
          // What the box could not be given is not kept either.
          await keepChange(changed, before);
          throw error;
        }
        for (const what of ["limits", "network", "lifetime"] as const)
          if (wish[what]) await events.append(row.id, { kind: "changed", data: { what } });
        return changed;
      }),

    reach,

    async box(id, signal) {
      const box = await reach(id, signal);
      await box.wake();
      return box;
    },

    touch(id) {
      access.touch(id);
      // Whoever types into a frozen workspace does not wait for an answer: it is thawed beside the keys.
      inBackground(thawIfFrozen(id), "a workspace was not thawed", id);
    },

    awakeBox: (row) => (row.box === "running" ? access.known(row) : undefined),

    async doubt(id, epoch, signal) {
      const state = await runtime.inspect(id, signal);
      if (state.state === "running" && state.epoch === epoch) return;
      await life.died(id, epoch);
    },

    freeze: (row, why, signal) => jobs.run(row.id, "freeze", signal, (within) => life.freeze(row, why, within)),

    wakeUp: (id, why, signal) =>
      jobs.run(id, "start", signal, async (within) => {
        await life.start(id, why, within).stored;
      }),

    stop: (id, why, signal) =>
      jobs.run(id, "stop", signal, async (within) => {
        const row = await store.byId(id);
        if (row && row.box !== "none") await life.stop(row, why, within);
      }),

    whileStopped: (id, kind, why, signal, work) =>
      jobs.run(id, kind, signal, async (within) => {
        const row = await store.byId(id);
        if (!row || row.state === "deleting") throw new CodedError("workspace_deleting");
        const ran = row.box === "running" || row.box === "frozen";
        // Refused before it is stopped: afterwards it could not be started again.
        if (ran) await life.requireRoom(within);
        if (row.epoch > 0) await life.stop(row, "Asleep: its files are being put back", within);
        const wake = async (reason: string) => {
          if (ran) await life.start(id, reason, within).stored;
        };
        const result = await work(within).catch(async (error: unknown) => {
          // What failed left the files as they were, and whoever works with them goes on.
          if (!within.aborted) await wake("Awake: its files are as they were").catch(() => undefined);
          throw error;
        });
        await wake(why);
        return result;
      }),

    async remove(row) {
      await store.update(row.id, { state: "deleting", why: "Being deleted" }, { evenDeleting: true });
      jobs.interrupt(row.id, new CodedError("workspace_deleting"));
      inBackground(removeForGood(row.id), "a workspace was not deleted; it is tried again", row.id);
    },

    snapshot: (id, snapshot, signal) => volumes.snapshot(id, snapshot, signal),
    changes: (id, from, to, signal) => volumes.changes(id, from, to, signal),
    revert: (id, from, to, signal) => jobs.run(id, "revert", signal, (within) => volumes.revert(id, from, to, within)),
    readSnapshot: volumes.readSnapshot,
    log: runtime.log,

    async reconcile(signal) {
      await jobs.closeAbandoned();
      await creation
        .settleClaims(signal)
        .catch((error: unknown) => log.warn({ err: error }, "claimed boxes were not looked after"));
      for (const row of await store.all()) {
        if (signal.aborted || jobs.isWorking(row.id) || creation.isWaiting(row.id)) continue;
        inBackground(repair(row, signal), "a workspace was not put right; it is tried again", row.id);
      }
    },

    async drain() {
      background.abort(new CodedError("shutting_down"));
      await jobs.drain();
    },
  };
}

function isUniqueViolation(error: unknown): boolean {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return cause instanceof Error && "code" in cause && cause.code === "23505";
}
