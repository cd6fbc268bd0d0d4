import { boxActivitySchema, type BoxActivity } from "@alcove/contract/box/activity";
import { CodedError } from "@alcove/contract/errors";
import type { WorkspaceId } from "@alcove/contract/ids";
import { pause } from "../events/wake.ts";
import type { Log } from "../log/log.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { BoxAccess } from "./box-access.ts";
import type { HostPressure } from "./host-pressure.ts";
import { dueRest, inWords, type RestDefaults } from "./rest-decision.ts";
import type { WorkspaceRow, WorkspaceStore } from "./workspace-store.ts";
import type { Workspaces } from "./workspaces.ts";

const askEveryMs = 10_000;
const patienceMs = 10_000;
/** Times in a row that a daemon may leave a question unanswered before its box counts as hung. */
const mostSilences = 3;
/** A use is noted for other replicas at most this often. */
const noteEveryMs = 5_000;
/** A workspace is awake for so long before an entry of its crontab is due, and is not put to rest when one is due so soon; milliseconds. */
const wakeAheadMs = 10_000;
const dueSoonMs = 30_000;

interface Parts {
  readonly store: WorkspaceStore;
  readonly workspaces: Workspaces;
  readonly access: BoxAccess;
  readonly runtime: Runtime;
  readonly pressure: HostPressure;
  readonly defaults: RestDefaults;
  /** Workspaces in which an agent is at work. */
  readonly working: () => Promise<ReadonlySet<string>>;
  /** Of several replicas one decides. */
  readonly leads: () => Promise<boolean>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Until the signal aborts: puts workspaces to rest in which nothing is at work, the longest idle first when the host runs short; starts boxes again that died;
 * and ends what hangs or has outlived its time.
 */
export async function letRest(parts: Parts): Promise<void> {
  const { store, workspaces, access, runtime, pressure, defaults, log, signal } = parts;
  const asked = new Map<WorkspaceId, { at: number; silences: number; busy: boolean }>();
  const shortest = Math.min(defaults.freezeAfterMs ?? Infinity, defaults.stopAfterMs ?? Infinity, askEveryMs * 3);
  const tickMs = Math.max(200, Math.min(2_000, shortest / 4));

  /** What is at work in the box; undefined when it did not say. */
  const ask = async (row: WorkspaceRow): Promise<BoxActivity["busy"] | undefined> => {
    const box = access.known(row) ?? (await access.adopt(row, signal));
    const known = asked.get(row.id) ?? { at: 0, silences: 0, busy: false };
    const question = {
      path: "/v1/activity",
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
      quiet: true,
    };
    try {
      if (!box) throw new CodedError("workspace_unreachable");
      const { busy, nextDueAt } = await box.json(boxActivitySchema, question);
      const wakeAt = nextDueAt === null ? null : new Date(Date.parse(nextDueAt) - wakeAheadMs);
      if (wakeAt?.getTime() !== row.wakeAt?.getTime())
        await store.update(row.id, { wakeAt }, { epoch: row.epoch, quietly: true });
      if (nextDueAt !== null && Date.parse(nextDueAt) - Date.now() < dueSoonMs)
        busy.push({ kind: "schedule", what: `at ${nextDueAt.slice(11, 16)} UTC` });
      asked.set(row.id, { at: Date.now(), silences: 0, busy: busy.length > 0 });
      return busy;
    } catch (error) {
      signal.throwIfAborted();
      asked.set(row.id, { at: Date.now(), silences: known.silences + 1, busy: known.busy });
      log.debug({ err: error, workspace: row.id }, "a box does not say what it does");
      return undefined;
    }
  };

  const mindHung = async (row: WorkspaceRow): Promise<void> => {
    const state = await runtime.inspect(row.id, signal);
    if (state.state === "running" && state.epoch === row.epoch && (asked.get(row.id)?.silences ?? 0) >= mostSilences) {
      log.warn({ workspace: row.id }, "a box hangs and is ended");
      asked.delete(row.id);
      await runtime.stop(row.id, row.epoch, signal);
    } else if (state.state === "running" && state.epoch === row.epoch) return;
    await workspaces.doubt(row.id, row.epoch, signal);
  };

  /** True when something keeps the workspace awake, which is noted. */
  const isAtWork = async (row: WorkspaceRow, working: ReadonlySet<string>, now: number): Promise<boolean> => {
    const used = access.touchedAt(row.id);
    const freezeAfterMs = row.lifetime.freezeAfterMs ?? defaults.freezeAfterMs ?? askEveryMs;
    const note = async (why: string): Promise<true> => {
      const isNew = row.why !== why;
      if (isNew || now - row.activeAt.getTime() >= Math.min(noteEveryMs, freezeAfterMs / 3))
        await store.update(
          row.id,
          { activeAt: new Date(now), ...(isNew && { why }) },
          { epoch: row.epoch, box: "running", quietly: !isNew },
        );
      return true;
    };
    if (working.has(row.id)) return note("Awake: an agent is at work");
    if (used > row.activeAt.getTime()) return note("Awake: in use");
    const last = asked.get(row.id);
    if (last && now - last.at < Math.min(askEveryMs, freezeAfterMs / 2)) return last.busy;
    const busy = await ask(row);
    if (busy === undefined) {
      await mindHung(row);
      return true;
    }
    const [first] = busy;
    return first ? note(whyBusy(first)) : false;
  };

  const lookAt = async (row: WorkspaceRow, working: ReadonlySet<string>, now: number): Promise<void> => {
    const rest = dueRest(row, defaults, now);
    if (rest !== "delete" && row.box === "running" && (await isAtWork(row, working, now))) return;
    const idle = inWords(now - row.activeAt.getTime());
    switch (rest) {
      case "stay":
        return;
      case "freeze":
        return workspaces.freeze(row, `Frozen: idle for ${idle}`, signal);
      case "stop":
        return workspaces.stop(row.id, `Asleep: idle for ${idle}`, signal);
      case "delete":
        log.info({ workspace: row.id }, "a workspace has reached the end of its life");
        return workspaces.remove(row);
    }
  };

  const relieve = async (rows: WorkspaceRow[], working: ReadonlySet<string>): Promise<void> => {
    if ((await pressure.state(signal)) === "fine") return;
    const [longest] = rows
      .filter(
        (row) => (row.box === "running" || row.box === "frozen") && !working.has(row.id) && !row.lifetime.keepAlive,
      )
      .filter((row) => Date.now() - Math.max(row.activeAt.getTime(), access.touchedAt(row.id)) > askEveryMs)
      .toSorted((a, b) => a.activeAt.getTime() - b.activeAt.getTime());
    if (longest) await workspaces.stop(longest.id, "Asleep: the server ran short of memory or disk", signal);
  };

  while (!signal.aborted) {
    await pause(tickMs, signal);
    if (signal.aborted) return;
    try {
      const rows = await store.all();
      const awake = new Set(rows.filter(({ box }) => box === "running").map(({ id }) => id));
      for (const id of asked.keys()) if (!awake.has(id)) asked.delete(id);
      if (!(await parts.leads())) {
        // What this replica has in flight is known to the one that decides by the row alone.
        for (const row of rows)
          if (access.touchedAt(row.id) - row.activeAt.getTime() > noteEveryMs)
            await store.update(row.id, { activeAt: new Date() }, { epoch: row.epoch, quietly: true });
        continue;
      }
      const working = await parts.working();
      const now = Date.now();
      const due = rows.filter(
        ({ restartAt, box }) => box === "none" && restartAt !== null && restartAt.getTime() <= now,
      );
      const scheduled = rows.filter(
        ({ state, box, wakeAt }) =>
          (state === "ready" || state === "hibernated") &&
          (box === "none" || box === "frozen") &&
          wakeAt !== null &&
          wakeAt.getTime() <= now,
      );
      const resting = [
        ...rows
          .filter(({ state }) => state !== "deleting" && state !== "creating")
          .map((row) => lookAt(row, working, now)),
        ...due.map((row) => workspaces.wakeUp(row.id, "Awake: started again after its box ended", signal)),
        // Once it is awake, the box says when it is to be woken next.
        ...scheduled.map((row) => workspaces.box(row.id, signal)),
        relieve(rows, working),
      ];
      for (const result of await Promise.allSettled(resting))
        if (result.status === "rejected" && !signal.aborted)
          log.debug({ err: result.reason }, "a workspace was not looked after");
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, "workspaces could not be put to rest");
    }
  }
}

function whyBusy({ kind, what }: BoxActivity["busy"][number]): string {
  switch (kind) {
    case "command":
      return `Awake: \`${what}\` runs`;
    case "process":
      return `Awake: \`${what}\` is at work`;
    case "terminal":
      return "Awake: a terminal has output";
    case "schedule":
      return `Awake: a scheduled command, ${what}`;
    case "connection":
      return `Awake: somebody uses ${what}`;
  }
}
