import { AsyncLocalStorage } from "node:async_hooks";
import { CodedError } from "@alcove/contract/errors";
import { newId, type WorkspaceId } from "@alcove/contract/ids";
import { expect, test } from "vitest";
import { createLog } from "../log/log.ts";
import type { BoxState, Runtime } from "../runtimes/runtime.ts";
import type { Templates } from "../templates/templates.ts";
import type { VolumeStore } from "../volumes/volume-store.ts";
import { createBoxAccess } from "./box-access.ts";
import { createBoxLife } from "./box-life.ts";
import { createGates, exploreAll, settle, type Gates, type Scenario } from "./interleavings.ts";
import type { WorkspaceJobs } from "./jobs.ts";
import type { WorkspaceEvents } from "./workspace-events.ts";
import type { WorkspaceRow, WorkspaceStore } from "./workspace-store.ts";
import { createWorkspaces, type Workspaces } from "./workspaces.ts";

const log = createLog({ level: "silent", name: "interleavings" });
const signal = new AbortController().signal;
const id = newId("workspace");
const at = new Date(0);

/** What is really there, whatever the rows say. */
interface World {
  row: WorkspaceRow | undefined;
  box: { epoch: number; frozen: boolean } | null;
  /** It died, and nobody was told yet. */
  untold?: boolean;
  /** The highest epoch that was started or stopped. */
  newest: number;
  stopped: number;
  volume: boolean;
  /** Of whoever has the one job. */
  lock: { process: number; op: string } | null;
}

const firstRow = (): WorkspaceRow => ({
  id,
  ownerId: "usr_a",
  name: "lab",
  state: "creating",
  box: "none",
  epoch: 0,
  why: "",
  error: null,
  runtime: "embedded",
  rootfs: null,
  template: null,
  templateRoot: null,
  originWorkspace: null,
  originSnapshot: null,
  baseSnapshot: null,
  limits: {},
  network: { mode: "open", allow: [] },
  lifetime: {},
  activeAt: at,
  deaths: 0,
  restartAt: null,
  wakeAt: null,
  createdAt: at,
  startedAt: null,
  startMs: null,
  importedBy: null,
});

/** The real code of a replica, on a store, jobs and a runtime whose every call waits for its turn. */
function startReplica(world: World, gates: Gates, op: AsyncLocalStorage<string>): Workspaces {
  const own = gates.process();
  const steps = new Map<string, number>();
  const call = <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    const by = op.getStore() ?? "background";
    const step = (steps.get(by) ?? 0) + 1;
    steps.set(by, step);
    return gates.through(`${by} ${step} ${name}`, work);
  };
  const changed = (
    change: Partial<WorkspaceRow>,
    { epoch, box, evenDeleting = false }: { epoch?: number; box?: string; evenDeleting?: boolean },
  ) => {
    const { row } = world;
    if (!row || (epoch !== undefined && row.epoch !== epoch) || (box !== undefined && row.box !== box))
      return undefined;
    if (row.state === "deleting" && !evenDeleting) return undefined;
    return (world.row = { ...row, ...change, activeAt: at, startedAt: null, startMs: null, restartAt: null });
  };
  const store = {
    byId: () => call("row", () => world.row && { ...world.row }),
    current: () => call("row", () => world.row && { ...world.row }),
    all: () => call("rows", () => (world.row ? [{ ...world.row }] : [])),
    update: (_: WorkspaceId, change: Partial<WorkspaceRow>, conditions = {}) =>
      call(`update ${change.box ?? change.state ?? ""}`, () => changed(change, conditions)),
    nextEpoch: () => call("next epoch", () => changed({ epoch: (world.row?.epoch ?? 0) + 1, box: "starting" }, {})),
    remove: () => call("remove", () => void (world.row = undefined)),
  } as unknown as WorkspaceStore;

  const runtime = {
    name: "embedded",
    create: () => call("box.create", () => undefined),
    start: (_: WorkspaceId, epoch: number) =>
      call("box.start", () => {
        if (epoch < world.newest || epoch <= world.stopped) throw new CodedError("epoch_stale");
        world.newest = epoch;
        if (world.box?.epoch !== epoch) world.box = { epoch, frozen: false };
        world.box.frozen = false;
        return { workspace: id, epoch, socket: "" };
      }),
    stop: (_: WorkspaceId, epoch: number) =>
      call("box.stop", () => {
        if (epoch < world.newest) throw new CodedError("epoch_stale");
        world.stopped = Math.max(world.stopped, epoch);
        world.box = null;
      }),
    freeze: () => call("box.freeze", () => void (world.box &&= { ...world.box, frozen: true })),
    thaw: () => call("box.thaw", () => void (world.box &&= { ...world.box, frozen: false })),
    list: () => Promise.resolve([]),
    destroy: () => call("box.destroy", () => void (world.box = null)),
    inspect: () => call("box.inspect", () => stateOf(world)),
    dial: () => call("box.dial", () => Promise.reject(new CodedError("workspace_unreachable"))),
  } as unknown as Runtime;
  const volumes = {
    create: () => call("volume.create", () => void (world.volume = true)),
    destroy: () => call("volume.destroy", () => void (world.volume = false)),
  } as unknown as VolumeStore;

  const controllers = new Map<string, AbortController>();
  const jobs: WorkspaceJobs = {
    async run(_workspace, _kind, _signal, work) {
      const by = op.getStore() ?? "background";
      const claim = (): Promise<void> =>
        call("claim", () => {
          if (world.lock) throw new CodedError("workspace_busy");
          world.lock = { process: own, op: by };
        });
      await claim();
      const controller = new AbortController();
      controllers.set(by, controller);
      try {
        return await work(controller.signal);
      } finally {
        controllers.delete(by);
        await call("release", () => void (world.lock = null));
      }
    },
    isWorking: () => world.lock?.process === own,
    interrupt: (_, reason) => controllers.forEach((controller) => controller.abort(reason)),
    closeAbandoned: () =>
      call("close abandoned", () => void (world.lock = world.lock?.process === own ? world.lock : null)),
    drain: () => Promise.resolve(),
  };
  const events: WorkspaceEvents = { append: () => Promise.resolve(), page: () => Promise.resolve([]) };
  const access = createBoxAccess(runtime);
  const life = createBoxLife({ store, runtime, volumes, access, events, requireRoom: () => Promise.resolve(), log });
  // No workspace here has a template.
  const templates = {} as unknown as Templates;
  return createWorkspaces({
    store,
    jobs,
    runtime,
    requireRuntime: () => Promise.resolve(),
    volumes,
    templates,
    access,
    life,
    events,
    log,
  });
}

function stateOf({ box, untold }: World): BoxState {
  if (box === null) return untold ? { state: "stopped", died: true } : { state: "stopped" };
  const address = { workspace: id, epoch: box.epoch, socket: "", thaw: null };
  return { state: "running", epoch: box.epoch, rootfs: "host", frozen: box.frozen, address, usage: null };
}

type Act = (workspaces: Workspaces, row: WorkspaceRow) => Promise<unknown>;
const acts: Record<string, Act> = {
  start: (workspaces) => workspaces.box(id, signal),
  stop: (workspaces) => workspaces.stop(id, "Asleep", signal),
  freeze: (workspaces, row) => workspaces.freeze(row, "Frozen", signal),
  delete: (workspaces, row) => workspaces.remove(row),
  doubt: (workspaces, row) => workspaces.doubt(id, row.epoch, signal),
};

/** The given acts of people, with a crash of the box and of the control plane at any moment if they are among them. */
async function scenario(names: readonly string[], ready: boolean): Promise<Scenario> {
  const gates = createGates();
  const op = new AsyncLocalStorage<string>();
  const world: World = { row: firstRow(), box: null, newest: 0, stopped: 0, volume: false, lock: null };
  if (ready) {
    Object.assign(world, { row: { ...firstRow(), state: "ready", box: "running", epoch: 1 }, newest: 1, volume: true });
    world.box = { epoch: 1, frozen: false };
  }
  let workspaces = startReplica(world, gates, op);
  /** Another server on the same database. */
  const elsewhere = startReplica(world, gates, op);
  const left = new Set(names);
  const begin = (name: string, act: Act, where = workspaces) => {
    const row = world.row;
    if (row) op.run(name, () => void act(where, row).catch(() => undefined));
  };

  return {
    choices: () => [...gates.labels(), ...left],
    choose(name) {
      const gate = gates.labels().indexOf(name);
      if (gate >= 0) return gates.open(gate);
      left.delete(name);
      if (name === "box dies") world.box = null;
      else if (name === "server dies") {
        gates.kill();
        workspaces = startReplica(world, gates, op);
      } else if (name === "start elsewhere") begin(name, (there) => there.box(id, signal), elsewhere);
      else begin(name, acts[name] ?? (() => Promise.resolve()));
    },
    state: () => JSON.stringify([world, gates.labels().toSorted(), [...left]]),
    async end() {
      const { box: there, row: said } = world;
      if (!names.includes("server dies") && said?.box === "running" && there?.frozen)
        throw new Error("a box is frozen that is said to run, until somebody looks");
      const wasDeleted = world.row?.state === "deleting" || world.row === undefined;
      // What the server does again and again puts right whatever was broken off.
      for (let round = 0; round < 3; round += 1) {
        op.run(`reconcile ${round}`, () => void workspaces.reconcile(signal));
        await settle();
        for (let steps = 0; gates.labels().length > 0; steps += 1) {
          if (steps > 200) throw new Error("the reconciling does not end");
          gates.open(0);
          await settle();
        }
      }
      const { row, box, volume, lock } = world;
      const told = JSON.stringify({ state: row?.state, box: row?.box, epoch: row?.epoch, real: box, volume, lock });
      if (lock) throw new Error(`a job is held for ever: ${told}`);
      if (wasDeleted) {
        if (row ?? box ?? (volume || null)) throw new Error(`something is left of a deleted workspace: ${told}`);
        return;
      }
      if (!row || !["ready", "hibernated", "failed"].includes(row.state)) throw new Error(`it is not at rest: ${told}`);
      const says = row.box === "running" || row.box === "frozen";
      if (says !== (box !== null) || (box && box.epoch !== row.epoch))
        throw new Error(`the row and the box differ: ${told}`);
      if (row.box === "running" && box?.frozen) throw new Error(`a box is frozen that is said to run: ${told}`);
    },
  };
}

test.each([
  { ready: true, names: ["start", "stop", "box dies", "server dies"] },
  { ready: true, names: ["stop", "delete", "server dies"] },
  { ready: true, names: ["freeze", "start", "box dies"] },
  { ready: true, names: ["freeze", "stop", "server dies"] },
  { ready: true, names: ["freeze", "start", "delete"] },
  { ready: true, names: ["freeze", "start elsewhere", "stop"] },
  { ready: true, names: ["doubt", "start", "box dies", "server dies"] },
  { ready: false, names: ["start", "delete", "server dies"] },
  { ready: false, names: ["start", "stop", "box dies", "server dies"] },
])(
  "every order of $names ends at rest, with the row and the box the same (ready: $ready)",
  async ({ names, ready }) => {
    const { states, ends } = await exploreAll(() => scenario(names, ready));
    expect(states).toBeGreaterThan(50);
    expect(ends).toBeGreaterThan(2);
  },
);

test("a box that died just now is left to whoever tells of it; one of which nobody tells sleeps", async () => {
  const gates = createGates();
  const op = new AsyncLocalStorage<string>();
  const row: WorkspaceRow = { ...firstRow(), state: "ready", box: "running", epoch: 1 };
  const world: World = { row, box: null, untold: true, newest: 1, stopped: 0, volume: true, lock: null };
  const workspaces = startReplica(world, gates, op);
  const reconcile = async (): Promise<void> => {
    op.run("reconcile", () => void workspaces.reconcile(signal));
    await settle();
    while (gates.labels().length > 0) {
      gates.open(0);
      await settle();
    }
  };
  await reconcile();
  expect(world.row).toMatchObject({ state: "ready", box: "running" });
  world.untold = false;
  await reconcile();
  expect(world.row).toMatchObject({ state: "hibernated", box: "none" });
});
