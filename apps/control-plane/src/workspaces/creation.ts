import { abortable } from "@alcove/base/abortable";
import type { CreateWorkspace } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import type { RuntimeName } from "@alcove/contract/host";
import { newId, type SnapshotId, type WorkspaceId } from "@alcove/contract/ids";
import { pause } from "../events/wake.ts";
import type { Log } from "../log/log.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Templates } from "../templates/templates.ts";
import type { VolumeStore } from "../volumes/volume-store.ts";
import type { BoxAccess } from "./box-access.ts";
import type { BoxLife } from "./box-life.ts";
import type { WorkspaceJobs } from "./jobs.ts";
import { suggestName } from "./names.ts";
import type { WorkspaceRow, WorkspaceStore } from "./workspace-store.ts";

const mostNames = 20;
/** Longer than between a claim and the storing of its workspace, in milliseconds. */
const claimMs = 20_000;
const keepMs = 250;
const madeWhy = "Awake: just made";

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
  readonly log: Log;
  /** Aborts when work in the background has to end. */
  readonly ending: AbortSignal;
}

export type WorkspaceWish = Omit<CreateWorkspace, "from"> & {
  /** The replica that fills it from an archive. */
  readonly importedBy?: string;
};
export type Origin = { workspace: WorkspaceId; snapshot: SnapshotId };

/**
 * Makes workspaces: of a box that was made ahead, which is there at once, or from nothing, in the background. The row is stored in both cases before anybody
 * hears of the workspace. Code: `name_taken`, `host_full`, `runtime_unavailable`.
 */
export function createCreation(parts: Parts) {
  const { store, jobs, runtime, requireRuntime, volumes, templates, access, life, log, ending } = parts;
  /** Workspaces whose template this replica waits for. */
  const waiting = new Map<WorkspaceId, Promise<void>>();

  const inBackground = (work: Promise<unknown>, what: string, id: WorkspaceId) => {
    work.catch((error: unknown) => log.warn({ err: error, workspace: id }, what));
  };

  const fromNothing = async (row: Insert): Promise<WorkspaceRow> => {
    const stored = await store.insert({ ...row, id: newId("workspace"), state: "creating", why: "Being made" });
    inBackground(make(stored, ending), "a workspace was not made", stored.id);
    return stored;
  };

  const waitForTemplate = async (row: WorkspaceRow, signal: AbortSignal): Promise<void> => {
    const { id, epoch, templateRoot } = row;
    if (templateRoot === null) return;
    // It failed for want of its template, and is made once more.
    if (row.state === "failed")
      await store.update(
        id,
        { state: "creating", box: "none", error: null, why: "Waiting for its template" },
        { epoch },
      );
    const say = async (detail: string): Promise<void> => {
      const row = await store.byId(id);
      if (!row || row.state === "deleting") throw new CodedError("workspace_deleting");
      if (row.state === "creating") await store.update(id, { why: `Waiting for its template. ${detail}` }, { epoch });
    };
    try {
      const ready = await templates.makeReady(templateRoot, say, signal);
      if (ready !== templateRoot) await store.update(id, { templateRoot: ready }, { epoch });
    } catch (error) {
      if (signal.aborted) throw error;
      throw await life.fail(id, epoch, error);
    }
  };

  /** Resolves when what the workspace's root lies over is there; the workspace says meanwhile what it waits for. */
  const requireTemplate = (row: WorkspaceRow, signal: AbortSignal): Promise<void> => {
    const waits = waiting.get(row.id) ?? waitForTemplate(row, ending).finally(() => waiting.delete(row.id));
    waiting.set(row.id, waits);
    return abortable(waits, signal);
  };

  const make = async (row: WorkspaceRow, signal: AbortSignal): Promise<void> => {
    if (row.templateRoot !== null) await requireTemplate(row, signal);
    await jobs.run(row.id, "create", signal, (within) => life.start(row.id, madeWhy, within).stored);
  };

  /** The runtime forgets it last: a crash in between leaves something that it takes back by itself. */
  const giveBack = async (id: WorkspaceId, epoch: number): Promise<void> => {
    await runtime.stop(id, epoch, ending);
    await volumes.destroy(id, ending);
    await runtime.destroy(id, ending);
  };

  /** Not while somebody waits for the first command. Whatever comes in between, `settleClaims` makes up for it. */
  const keepLater = async (id: WorkspaceId): Promise<void> => {
    await pause(keepMs, ending);
    await runtime.keep(id, ending);
  };

  /** Undefined when there is no box ahead. */
  const fromSpare = async (row: Insert, wish: WorkspaceWish): Promise<WorkspaceRow | undefined> => {
    const begun = performance.now();
    const { limits = {}, network = { mode: "open" as const, allow: [] } } = wish;
    const claimed = await runtime.claim({ name: row.name, limits, network }, ending).catch((error: unknown) => {
      log.debug({ err: error }, "no box that was made ahead was given");
      return null;
    });
    if (claimed === null) return undefined;
    const { address, rootfs } = claimed;
    const { workspace: id, epoch } = address;
    try {
      const startMs = Math.round(performance.now() - begun);
      const running = { state: "ready" as const, box: "running" as const, startedAt: new Date(), startMs };
      const started = { kind: "box.started" as const, data: { epoch, why: madeWhy } };
      const stored = await store.insert({ ...row, ...running, id, epoch, rootfs, why: madeWhy }, started);
      access.client(id, epoch, address);
      inBackground(keepLater(id), "the host was not told that a workspace is stored", id);
      return stored;
    } catch (error) {
      const gone = giveBack(id, epoch);
      inBackground(gone, "a box that nobody got was not ended", id);
      throw error;
    }
  };

  /** Of a fork it is the origin's: its own layer lies over that. */
  const templateOf = async (owner: string, wish: WorkspaceWish, origin: Origin | undefined) => {
    if (origin) {
      const { template = null, templateRoot = null } = (await store.byId(origin.workspace)) ?? {};
      return { template, templateRoot };
    }
    if (wish.template === undefined) return { template: null, templateRoot: null };
    return { template: wish.template, templateRoot: await templates.resolve(owner, wish.template) };
  };

  const create = async (owner: string, wish: WorkspaceWish, origin?: Origin): Promise<WorkspaceRow> => {
    const { name, limits = {}, network, lifetime, importedBy } = wish;
    const template = await templateOf(owner, wish, origin);
    const needsDocker = template.templateRoot?.kind === "image";
    if (needsDocker && wish.runtime === "embedded")
      throw new CodedError(
        "runtime_unavailable",
        `Template "${template.template}" is an image, which runs on Docker.`,
        {
          hint: "Leave the runtime out, or choose another template.",
        },
      );
    const on = wish.runtime ?? (needsDocker ? "docker" : "embedded");
    // Whether crun works is found out by its start, without another question before each.
    if (on !== "embedded") await requireRuntime(on, ending);
    await life.requireRoom(ending);
    // What cannot be built is refused here.
    if (template.templateRoot && !origin) await templates.build(template.templateRoot, ending);
    for (let attempt = 0; ; attempt += 1) {
      const row: Insert = {
        ownerId: owner,
        name: name ?? suggestName(),
        runtime: on,
        limits,
        ...(network && { network }),
        ...(lifetime && { lifetime }),
        ...(importedBy && { importedBy }),
        ...template,
        ...(origin && { originWorkspace: origin.workspace, originSnapshot: origin.snapshot }),
      };
      // Made ahead are boxes of the usual kind, with an empty volume; these two limits are given to a box's first process.
      const isUsual =
        on === "embedded" &&
        !origin &&
        !wish.template &&
        limits.openFiles === undefined &&
        limits.processes === undefined;
      try {
        const ahead = isUsual ? await fromSpare(row, wish) : undefined;
        return ahead ?? (await fromNothing(row));
      } catch (error) {
        const taken = error instanceof CodedError && error.code === "name_taken";
        if (!taken || name !== undefined || attempt > mostNames) throw error;
      }
    }
  };

  /** What a crash left between the claim of a box and the word that its workspace is stored. */
  const settleClaims = async (signal: AbortSignal): Promise<void> => {
    for (const { id, state, claimedForMs } of await runtime.list(signal)) {
      if (claimedForMs === null) continue;
      if (await store.byId(id)) await runtime.keep(id, signal);
      else if (claimedForMs > claimMs) await giveBack(id, state.state === "running" ? state.epoch : 1);
    }
  };

  return { create, make, requireTemplate, isWaiting: (id: WorkspaceId) => waiting.has(id), settleClaims };
}

type Insert = Omit<Parameters<WorkspaceStore["insert"]>[0], "id" | "state" | "why">;
