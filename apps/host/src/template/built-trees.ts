import { CodedError } from "@alcove/contract/errors";
import type { TreeRecipe, TreeStatus, UnpackedTree } from "@alcove/contract/host";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { diskIdOffset } from "../boxes/id-range.ts";
import { mustRun } from "../kernel/command.ts";
import type { Launcher } from "../boxes/launcher.ts";
import { unmountBelow } from "../kernel/mounts.ts";
import { logLine } from "../log.ts";
import type { BoxNetworks } from "../network/box-networks.ts";
import type { Site } from "../site.ts";
import type { Trees } from "../volumes/trees.ts";
import type { BaseTree } from "./base-tree.ts";
import { openBuildNetwork } from "./build-network.ts";
import { installRecipe, stopMarked, type OnStep } from "./install-recipe.ts";
import { buildNixEnvironment, firstBuildId, whyNoNix } from "./nix-environment.ts";
import { readTools } from "./read-tools.ts";
import { notePath, readNote, writeNote } from "./tree-note.ts";
import type { BoxRecords } from "../boxes/box-record.ts";
import { treesInUse } from "./trees-in-use.ts";
import { unpackTree } from "./unpack-tree.ts";
import { openSharedWorkshop, openWorkshop } from "./workshop.ts";

/** Milliseconds after which a build is given up. */
const deadlineMs = 15 * 60_000;
/** What a build may write, where the store has limits. */
const largestBytes = 16 * 2 ** 30;
const isTree = (name: string): boolean => /^[0-9a-f]{16}$/.test(name);

/** Root file systems beside the usual one: built over it by a recipe, or given. Each has a name by its content and never changes once it has it. */
export interface BuiltTrees {
  /** Begins to build it unless it is there or being built. Code: `template_unavailable`. */
  build(tree: string, recipe: TreeRecipe): Promise<TreeStatus>;
  /** `needsNix`: it is built by the host's Nix. */
  look(tree: string, needsNix?: boolean): Promise<TreeStatus>;
  /** Codes: `template_invalid`, `too_large`, `host_full`. Nothing is left of what could not be unpacked. */
  unpack(archive: Readable, largestBytes: number, signal: AbortSignal): Promise<UnpackedTree>;
  /** Removes all others that nothing lies over and that are older than so many milliseconds, and usual ones of earlier versions. */
  keep(trees: readonly string[], olderThanMs: number): Promise<void>;
  /** Removes what a crash left of builds; called before the first of them. */
  sweep(): Promise<void>;
  drain(): Promise<void>;
}

export function createBuiltTrees(options: {
  site: Site;
  store: string;
  folder: string;
  base: BaseTree;
  trees: Trees;
  records: BoxRecords;
  networks: BoxNetworks;
  launcher: Launcher;
  abilities: () => { egress: boolean; tunnelDevice: string | null };
  /** Ends all builds. */
  signal: AbortSignal;
}): BuiltTrees {
  const { site, store, folder, base, trees, records, networks, launcher, abilities, signal } = options;
  const building = new Map<string, { look: () => { detail: string; percent: number | null }; done: Promise<void> }>();
  const failed = new Map<string, string>();
  const unpacking = new Set<Promise<unknown>>();
  const markOf = (tree: string): string => `${site.instance}-${tree}`;

  const whyImpossible = (needsNix: boolean): string | null => base.whyImpossible() ?? (needsNix ? whyNoNix() : null);

  const look = async (tree: string, needsNix = false): Promise<TreeStatus> => {
    const path = `${folder}/${tree}`;
    if (existsSync(path)) {
      const note = await readNote(path);
      const { tools = {}, sizeBytes = null } = note ?? {};
      return { tree, state: "ready", detail: "Ready", percent: null, tools, sizeBytes };
    }
    const unbuilt = { tree, percent: null, tools: {}, sizeBytes: null };
    const work = building.get(tree);
    if (work) return { ...unbuilt, state: "building", ...work.look() };
    const failure = failed.get(tree);
    if (failure !== undefined) return { ...unbuilt, state: "failed", detail: failure };
    return { ...unbuilt, state: "missing", detail: whyImpossible(needsNix) ?? "Built when it is first used" };
  };

  const makeTree = async (tree: string, recipe: TreeRecipe, onStep: OnStep) => {
    const within = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    await base.require(within);
    const path = `${folder}/${tree}`;
    const fresh = `${path}.new`;
    stopMarked(markOf(tree));
    await trees.remove(fresh);
    try {
      await trees.copy(base.path, fresh, { readOnly: false });
      await trees.limit(fresh, largestBytes);
      {
        await using workshop = site.privileged ? openWorkshop(fresh) : await openSharedWorkshop(site, folder, fresh);
        const common = { workshop, mark: markOf(tree), onStep, signal: within };
        const { packages, node, nix } = recipe;
        if (packages.length > 0 || node !== null) await installRecipe({ ...common, recipe });
        if (nix !== undefined) {
          const place = { firstId: firstBuildId(site), mark: markOf(tree), trafficFile: `${fresh}.traffic` };
          await using network = await openBuildNetwork({ networks, launcher, abilities: abilities(), ...place });
          await buildNixEnvironment({ ...common, site, network, nix });
        }
      }
      const tools = await readTools(fresh, recipe);
      await writeNote(path, { tools, sizeBytes: await sizeOf(fresh) });
      await rename(fresh, path);
    } catch (error) {
      await trees.remove(fresh);
      throw error;
    }
  };

  return {
    look,
    async build(tree, recipe) {
      const now = await look(tree);
      if (now.state === "ready" || now.state === "building" || building.has(tree)) return now;
      const why = whyImpossible(recipe.nix !== undefined);
      if (why !== null) throw new CodedError("template_unavailable", `Cannot build the template: ${why}`);
      failed.delete(tree);
      let step: { detail: string; percent: number | null } = { detail: "Being built", percent: 0 };
      const done = makeTree(
        tree,
        recipe,
        (percent, text) =>
          (step = { detail: `Being built: ${percent === null ? "" : `${percent} %, `}${text}`, percent }),
      )
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          failed.set(tree, error instanceof CodedError ? error.message : `Not built: ${reason}`);
          logLine("warn", "a template was not built", { tree, error });
        })
        .finally(() => building.delete(tree));
      building.set(tree, {
        look: () => (base.isThere() ? step : { detail: base.status().detail, percent: null }),
        done,
      });
      return look(tree);
    },
    async unpack(archive, largestBytes, gone) {
      const work = unpackTree({
        folder,
        trees,
        owner: diskIdOffset(site),
        archive,
        largestBytes,
        signal: AbortSignal.any([signal, gone]),
        sizeOf,
      });
      const settled = work.then(
        () => undefined,
        () => undefined,
      );
      unpacking.add(settled);
      void settled.then(() => unpacking.delete(settled));
      return work;
    },
    async keep(wanted, olderThanMs) {
      const names = await readdir(folder).catch(() => []);
      const old = names.filter((name) => (isTree(name) || /^[0-9a-f]{8}$/.test(name)) && name !== base.version);
      const unwanted = old.filter((name) => !wanted.includes(name));
      if (unwanted.length === 0) return;
      const used = await treesInUse(store, records);
      for (const name of unwanted) {
        if (used.has(name) || (await ageMs(`${folder}/${name}`)) < olderThanMs) continue;
        await trees.remove(`${folder}/${name}`);
        await rm(notePath(`${folder}/${name}`), { force: true });
      }
    },
    async sweep() {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      // With root rights nobody else walks here: what is given may hold programs that run as root for whoever can start them.
      if (site.privileged) await chmod(folder, 0o700);
      for (const name of await readdir(site.stage).catch(() => [])) {
        if (!name.startsWith("template-")) continue;
        unmountBelow(`${site.stage}/${name}`);
        await rm(`${site.stage}/${name}`, { recursive: true, force: true });
      }
      const names = await readdir(folder);
      for (const name of names) {
        const [tree = "", ending] = name.split(".");
        const isLeft = ending !== undefined && (ending !== "json" || !names.includes(tree));
        if (!isLeft || tree === base.version) continue;
        if (isTree(tree)) stopMarked(markOf(tree));
        await trees.remove(`${folder}/${name}`);
        await rm(`${folder}/${name}`, { recursive: true, force: true });
      }
    },
    async drain() {
      await Promise.all([...[...building.values()].map(({ done }) => done), ...unpacking]);
    },
  };
}

async function sizeOf(tree: string): Promise<number> {
  return Number((await mustRun(["du", "-s", "--block-size=1", "--", tree])).split("\t")[0]);
}

/** Since the tree got its name; a tree without a note is as old as can be. */
async function ageMs(tree: string): Promise<number> {
  const note = await stat(notePath(tree)).catch(() => null);
  return note === null ? Number.POSITIVE_INFINITY : Date.now() - note.mtimeMs;
}
