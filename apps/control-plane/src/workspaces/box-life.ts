import { boxExecLineSchema } from "@alcove/contract/box/exec";
import { setTimeout as sleep } from "node:timers/promises";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import { parseId, type WorkspaceId } from "@alcove/contract/ids";
import type { BoxClient } from "../box/box-client.ts";
import type { Log } from "../log/log.ts";
import type { BoxSpec, Runtime } from "../runtimes/runtime.ts";
import type { VolumeStore } from "../volumes/volume-store.ts";
import type { BoxAccess } from "./box-access.ts";
import { restartDelayMs } from "./rest-decision.ts";
import { runTemplateHooks } from "./template-hooks.ts";
import type { WorkspaceEvents } from "./workspace-events.ts";
import type { WorkspaceRow, WorkspaceStore } from "./workspace-store.ts";

const hookMs = 10_000;
const againMs = 10_000;
/** How long a box needs at most, as a rule, for its first answer after a thaw, in milliseconds. */
const answerMs = 5;
/** A box that ran for this long, in milliseconds, did not die of its start. */
const healthyMs = 600_000;
/** A file that people may put into their workspace: it runs before the box is put to sleep. */
const runHook = 'hook="$HOME/.config/alcove/before-stop"; if [ -x "$hook" ]; then exec "$hook"; fi';

/** A start, which may be under way. */
export interface Start {
  /** The box, as soon as it answers. */
  readonly answering: Promise<BoxClient>;
  /** The box, when all of its start is over. */
  readonly stored: Promise<BoxClient>;
}

/** The life of a workspace's box, from start to end. Each of these is called as the workspace's one job, but for `starting`, `thaw` and `died`. */
export interface BoxLife {
  /** Notes that the workspace could not be given a box of this epoch, and gives the error as people are told it. */
  fail(id: WorkspaceId, epoch: number, error: unknown): Promise<CodedError>;
  /** Gives `host_full` when the host has no room for one more box. */
  requireRoom(signal: AbortSignal): Promise<void>;
  start(id: WorkspaceId, why: string, signal: AbortSignal): Start;
  /** The start that this replica is at. */
  starting(id: WorkspaceId): Start | undefined;
  stop(row: WorkspaceRow, why: string, signal: AbortSignal): Promise<void>;
  /** Takes its processor away; nothing happens when somebody has begun to use it since `activeAt`. */
  freeze(row: WorkspaceRow, why: string, signal: AbortSignal): Promise<void>;
  thaw(row: WorkspaceRow, why: string, signal: AbortSignal): Promise<void>;
  /** Notes that the box of this epoch has ended by itself, and when it is to be started again. */
  died(id: WorkspaceId, epoch: number): Promise<void>;
}

interface Parts {
  readonly store: WorkspaceStore;
  readonly runtime: Runtime;
  readonly volumes: VolumeStore;
  readonly access: BoxAccess;
  readonly events: WorkspaceEvents;
  /** Gives `host_full` when the host has no room for one more box. */
  readonly requireRoom: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}

export function createBoxLife({ store, runtime, volumes, access, events, requireRoom, log }: Parts): BoxLife {
  /** Freezes of this replica that are under way: a thaw comes after them. */
  const freezing = new Map<WorkspaceId, Promise<unknown>>();
  const starts = new Map<WorkspaceId, Start>();

  /** Nothing happens when it is there already, whatever became of its origin. */
  const makeVolume = ({ id, originWorkspace, originSnapshot }: WorkspaceRow, signal: AbortSignal): Promise<void> =>
    originWorkspace === null || originSnapshot === null
      ? volumes.create(id, signal)
      : volumes.fork(parseId("workspace", originWorkspace), parseId("snapshot", originSnapshot), id, signal);

  const fail = async (id: WorkspaceId, epoch: number, error: unknown): Promise<CodedError> => {
    const coded = toCodedError(error);
    if (coded.code === "internal") log.error({ err: error, workspace: id }, "a box did not start");
    const failure =
      coded.code === "internal" ? new CodedError("workspace_start_failed", undefined, { cause: error }) : coded;
    const told = { code: failure.code, detail: failure.message, hint: failure.hint };
    await store.update(id, { state: "failed", box: "failed", why: failure.message, error: told }, { epoch });
    return failure;
  };

  const runBeforeStop = async (row: WorkspaceRow, signal: AbortSignal): Promise<void> => {
    const box = access.known(row) ?? (await access.adopt(row, signal));
    if (!box) return;
    const body = JSON.stringify({ command: ["sh", "-c", runHook], timeoutMs: hookMs });
    const headers = { "content-type": "application/json" };
    const patience = AbortSignal.any([signal, AbortSignal.timeout(hookMs + 1_000)]);
    let said = "";
    for await (const line of box.lines(boxExecLineSchema, {
      method: "POST",
      path: "/v1/exec",
      headers,
      body,
      signal: patience,
    })) {
      if (line.kind !== "exit") said = `${said}${line.data}`.slice(-2_000);
      else if (said !== "" || line.exitCode !== 0)
        log.info({ workspace: row.id, exitCode: line.exitCode, output: said }, "the workspace's before-stop ran");
    }
  };

  const start = async (
    id: WorkspaceId,
    why: string,
    signal: AbortSignal,
    answering: (box: BoxClient) => void,
  ): Promise<BoxClient> => {
    const row = await store.current(id);
    if (!row || row.state === "deleting") throw new CodedError("workspace_deleting");
    const running = access.known(row) ?? (await access.adopt(row, signal));
    if (running) return running;
    const begun = performance.now();
    await requireRoom(signal);
    // All of it is over before the job ends, also when a part fails: nothing goes on behind a deletion's back.
    const [stored, ...prepared] = await Promise.allSettled([
      store.nextEpoch(id, "Starting"),
      // First, because the host makes ready for the start while it makes the volume.
      runtime.create(boxSpec(row), signal),
      makeVolume(row, signal),
    ]);
    if (stored.status === "rejected") throw stored.reason;
    const next = stored.value;
    if (!next) throw new CodedError("workspace_deleting");
    try {
      for (const part of prepared) if (part.status === "rejected") throw part.reason;
      const { rootfs, ...address } = await runtime.start(id, next.epoch, signal);
      const box = access.client(id, next.epoch, address);
      answering(box);
      const now = new Date();
      await store.update(
        id,
        {
          state: "ready",
          box: "running",
          why,
          error: null,
          startedAt: now,
          activeAt: now,
          restartAt: null,
          startMs: Math.round(performance.now() - begun),
          rootfs,
        },
        { epoch: next.epoch, happened: { kind: "box.started", data: { epoch: next.epoch, why } } },
      );
      if (row.templateRoot?.kind === "image") void runTemplateHooks(box, row.templateRoot, log);
      return box;
    } catch (error) {
      throw await fail(id, next.epoch, signal.aborted ? signal.reason : error);
    }
  };

  return {
    requireRoom,
    fail,
    start(id, why, signal) {
      const answering = Promise.withResolvers<BoxClient>();
      const stored = start(id, why, signal, answering.resolve);
      stored.then(answering.resolve, answering.reject).finally(() => starts.delete(id));
      answering.promise.catch(() => undefined);
      const started = { answering: answering.promise, stored };
      starts.set(id, started);
      return started;
    },

    starting: (id) => starts.get(id),

    async stop(row, why, signal) {
      const { id, epoch } = row;
      if (row.box === "frozen") await runtime.thaw(id, signal);
      if (row.box === "frozen" || row.box === "running")
        await runBeforeStop(row, signal).catch((error: unknown) =>
          log.info({ err: error, workspace: id }, "the workspace's before-stop did not end well"),
        );
      await store.update(id, { box: "stopping" }, { epoch });
      await runtime.stop(id, epoch, signal);
      access.forget(id);
      await store.update(
        id,
        { state: "hibernated", box: "none", why, restartAt: null, deaths: 0 },
        { epoch, happened: { kind: "box.stopped", data: { epoch, why } } },
      );
    },

    async freeze({ id, epoch, activeAt }, why, signal) {
      const work = async (): Promise<void> => {
        const isUsed = () => access.touchedAt(id) > activeAt.getTime();
        if (isUsed()) return;
        // Said before it is done: whoever comes now thaws it, after the freeze.
        const marked = await store.update(id, { box: "frozen", why }, { epoch, box: "running" });
        if (!marked) return;
        // Whoever came before it was said has touched it before looking.
        if (isUsed()) {
          await store.update(id, { box: "running", why: "Awake: in use" }, { epoch, box: "frozen" });
          return;
        }
        await runtime.freeze(id, signal);
        const row = await store.byId(id);
        if (row?.box === "frozen" && row.epoch === epoch) {
          // Here, because a thaw that waits tells of itself after it.
          await events.append(id, { kind: "box.frozen", data: { epoch, why } });
          return;
        }
        // Another replica did not wait for the freeze.
        await runtime.thaw(id, signal);
      };
      const freezes = work().finally(() => freezing.delete(id));
      freezing.set(
        id,
        freezes.catch(() => undefined),
      );
      await freezes;
    },

    async thaw({ id, epoch }, why, signal) {
      await freezing.get(id);
      await runtime.thaw(id, signal);
      // Whoever waits for the box does not wait for the note of it, nor for the processor time that it takes; a note that is missing makes the next one thaw what is thawed.
      const noted = sleep(answerMs).then(() =>
        store.update(
          id,
          { box: "running", why, activeAt: new Date() },
          { epoch, box: "frozen", happened: { kind: "box.thawed", data: { epoch, why } } },
        ),
      );
      noted
        // Once more: another replica may have frozen it meanwhile, and have looked at the row before this was noted.
        .then((row) => row && runtime.thaw(id, AbortSignal.timeout(againMs)))
        .catch((error: unknown) => log.warn({ err: error, workspace: id }, "a thaw was not noted"));
    },

    async died(id, epoch) {
      const row = await store.byId(id);
      if (!row || row.epoch !== epoch || (row.box !== "running" && row.box !== "frozen")) return;
      access.forget(id);
      const wasHealthy = row.startedAt !== null && Date.now() - row.startedAt.getTime() > healthyMs;
      const deaths = (wasHealthy ? 0 : row.deaths) + 1;
      const delay = restartDelayMs(deaths);
      const why =
        delay === null
          ? "Asleep: its box ended again and again"
          : "Asleep: its box ended by itself and is started again";
      const restartAt = delay === null ? null : new Date(Date.now() + delay);
      const next = delay === null ? "stay" : "restart";
      await store.update(
        id,
        { state: "hibernated", box: "none", why, deaths, restartAt },
        { epoch, box: row.box, happened: { kind: "box.died", data: { epoch, code: "workspace_unreachable", next } } },
      );
    },
  };
}

/** What a runtime has to know of a workspace. */
export function boxSpec({ id, name, runtime, limits, network, templateRoot }: WorkspaceRow): BoxSpec {
  const spec = { workspace: id, name, runtime, limits, network, env: templateRoot?.env ?? {} };
  switch (templateRoot?.kind) {
    case "tree":
      return { ...spec, template: templateRoot.tree };
    case "image":
      return { ...spec, image: templateRoot.image };
    case undefined:
      return spec;
  }
}
