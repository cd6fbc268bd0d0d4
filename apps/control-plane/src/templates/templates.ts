import type { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { treeId } from "@alcove/base/tree-id";
import type { CreateTemplate, Template, UploadTemplate } from "@alcove/contract/api/template";
import { CodedError } from "@alcove/contract/errors";
import { unpackedTreeSchema, type TreeRecipe, type TreeStatus } from "@alcove/contract/host";
import type { TemplateRoot } from "../database/schema.ts";
import { pause } from "../events/wake.ts";
import type { HostClient } from "../host/host-client.ts";
import type { Log } from "../log/log.ts";
import { catalogue, nodeReleases, type CatalogueTemplate } from "./catalogue.ts";
import { nearestNames } from "./nearest-names.ts";
import type { TemplateRow, TemplateStore } from "./template-store.ts";

/** What of a given root file system is taken at most, packed and unpacked. */
const largestBytes = 16 * 2 ** 30;
const lookEveryMs = 300;
/** Milliseconds after which nobody waits for a build any more; the host process gives it up before. */
const longestWaitMs = 20 * 60_000;
/** A host process that starts again may take so many milliseconds. */
const hostGoneMs = 60_000;
/** Longer than a root file system is there before it is in a table, in milliseconds. */
const youngMs = 600_000;

/** The catalogue and people's own templates, and the root file systems that they are. */
export interface Templates {
  list(owner: string, signal: AbortSignal): Promise<Template[]>;
  /** Code: `template_unknown`. */
  get(owner: string, name: string, signal: AbortSignal): Promise<Template>;
  /** What a workspace of `name` or `name@version` lies over. Code: `template_unknown`, with the nearest names. */
  resolve(owner: string, wanted: string): Promise<TemplateRoot>;
  /** Begins to build what is not there. Codes: `template_unavailable`, `template_not_built`. */
  build(root: TemplateRoot, signal: AbortSignal): Promise<TreeStatus>;
  /** Resolves when the root file system is there, and says meanwhile how far it is. Codes: of `build`, and `template_build_failed`. */
  makeReady(root: TemplateRoot, say: (detail: string) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** Codes: `name_taken`, `template_unknown` (no such version of Node). */
  add(owner: string, wish: CreateTemplate): Promise<void>;
  /** Takes a root file system. Codes: `name_taken`, `template_invalid`, `too_large`, `host_full`. */
  upload(owner: string, wish: UploadTemplate, archive: Readable, signal: AbortSignal): Promise<void>;
  /** Codes: `template_unknown`, `template_in_use`, `not_allowed` (of the catalogue). */
  remove(owner: string, name: string): Promise<void>;
  /** Removes root file systems that no template and no workspace has. */
  tidy(signal: AbortSignal): Promise<void>;
}

export function createTemplates({ store, host, log }: { store: TemplateStore; host: HostClient; log: Log }): Templates {
  const statusesOf = async (trees: readonly string[], signal: AbortSignal): Promise<Map<string, TreeStatus>> => {
    const statuses = await host.call("template.trees", { trees: [...new Set(trees)] }, signal);
    return new Map(statuses.map((status) => [status.tree, status]));
  };

  const unknown = async (owner: string, name: string): Promise<CodedError> => {
    const names = [...catalogue.map((entry) => entry.name), ...(await store.list(owner)).map((row) => row.name)];
    const near = nearestNames(name, names);
    const said = near.length === 0 ? names : near;
    return new CodedError(
      "template_unknown",
      `There is no template "${name.slice(0, 80)}"; ${near.length === 0 ? "there are" : "did you mean"} ${said.map((one) => `"${one}"`).join(", ")}${near.length === 0 ? "." : "?"}`,
    );
  };

  const all = async (owner: string, signal: AbortSignal): Promise<Template[]> => {
    const own = await store.list(owner);
    const ofCatalogue = catalogue.flatMap(({ versions }) => versions.map(({ recipe }) => treeId(recipe)));
    const [statuses, users] = await Promise.all([
      statusesOf([...ofCatalogue, ...own.map(({ root }) => root.tree)], signal),
      store.users(owner),
    ]);
    return [
      ...catalogue.map((entry) => catalogueView(entry, statuses, users)),
      ...own.map((row) => ownView(row, statuses, users)),
    ];
  };

  const requireFree = async (owner: string, name: string): Promise<void> => {
    if (catalogue.some((entry) => entry.name === name))
      throw new CodedError("name_taken", `The catalogue has a template named "${name}".`);
    if (await store.find(owner, name))
      throw new CodedError("name_taken", `You already have a template named "${name}".`);
  };

  const build = async ({ tree, recipe }: TemplateRoot, signal: AbortSignal): Promise<TreeStatus> => {
    if (recipe) return host.call("template.build", { tree, recipe }, signal);
    const status = (await statusesOf([tree], signal)).get(tree);
    if (status?.state !== "ready")
      throw new CodedError("template_not_built", "The root file system that was given is gone", {
        hint: "Add the template again.",
      });
    return status;
  };

  /** The first answer after a host process that started again, or its silence as the error that it is. */
  const lookPatiently = async (tree: string, signal: AbortSignal): Promise<TreeStatus | undefined> => {
    const end = Date.now() + hostGoneMs;
    for (;;) {
      try {
        return (await statusesOf([tree], signal)).get(tree);
      } catch (error) {
        if (!(error instanceof CodedError && error.code === "host_unreachable") || Date.now() > end) throw error;
        await pause(lookEveryMs, signal);
        signal.throwIfAborted();
      }
    }
  };

  return {
    list: all,

    async get(owner, name, signal) {
      const found = (await all(owner, signal)).find((template) => template.name === name);
      if (!found) throw await unknown(owner, name);
      return found;
    },

    async resolve(owner, wanted) {
      const [name = "", version] = wanted.split("@", 2);
      const entry = catalogue.find((other) => other.name === name);
      if (entry) {
        const chosen =
          version === undefined ? entry.versions[0] : entry.versions.find((one) => one.version === version);
        if (!chosen) {
          const names = entry.versions.map((one) => `"${name}@${one.version}"`).join(", ");
          throw new CodedError("template_unknown", `There is no "${wanted.slice(0, 80)}"; there are ${names}.`);
        }
        return rootOf(chosen.recipe, entry.start, [...entry.ports]);
      }
      const row = version === undefined ? await store.find(owner, name) : undefined;
      if (!row) throw await unknown(owner, wanted);
      return row.root;
    },

    build,

    async makeReady(root, say, signal) {
      const end = Date.now() + longestWaitMs;
      let status: TreeStatus | undefined = await build(root, signal);
      for (let told = ""; status?.state !== "ready"; status = await lookPatiently(root.tree, signal)) {
        if (status?.state === "failed") throw new CodedError("template_build_failed", status.detail);
        // The host process that built it is gone.
        if (status?.state === "missing") await build(root, signal);
        if (Date.now() > end) throw new CodedError("template_build_failed", "The template took too long to build.");
        if (status && status.detail !== told) await say((told = status.detail));
        await pause(lookEveryMs, signal);
        signal.throwIfAborted();
      }
    },

    async add(owner, { name, title, description, start, ports = [], packages, node }) {
      await requireFree(owner, name);
      const release = node === undefined ? null : Object.entries(nodeReleases).find(([major]) => major === node)?.[1];
      if (release === undefined)
        throw new CodedError(
          "template_unknown",
          `There is no Node "${node}"; there are ${Object.keys(nodeReleases).join(", ")}.`,
        );
      const root = rootOf({ packages: [...new Set(packages)], node: release, npm: [] }, start ?? null, ports);
      await store.insert({
        ownerId: owner,
        name,
        title: title ?? name,
        description:
          description ??
          `With ${[...(node === undefined ? [] : [`Node ${node}`]), ...packages].slice(0, 6).join(", ")}`,
        start: root.start,
        ports,
        source: "packages",
        root,
      });
    },

    async upload(owner, { name, title, description, start, ports }, archive, signal) {
      await requireFree(owner, name);
      const answer = await host.upload("template.unpack", { largestBytes }, archive, signal);
      const given = unpackedTreeSchema.parse(await json(answer));
      const root: TemplateRoot = {
        tree: given.tree,
        recipe: null,
        env: boxEnvironment(given.env),
        start: start ?? given.start,
        ports: ports ?? given.ports,
      };
      await store.insert({
        ownerId: owner,
        name,
        title: title ?? name,
        description: description ?? (given.kind === "oci" ? "An image of your own" : "A root file system of your own"),
        start: root.start,
        ports: root.ports,
        source: given.kind,
        root,
        lacks: given.lacks,
      });
    },

    async remove(owner, name) {
      if (catalogue.some((entry) => entry.name === name))
        throw new CodedError("not_allowed", `"${name}" belongs to the catalogue.`, {
          hint: "Templates that you have added can be deleted.",
        });
      if (!(await store.find(owner, name))) throw await unknown(owner, name);
      await store.remove(owner, name);
    },

    async tidy(signal) {
      const roots = await store.roots();
      const ofCatalogue = catalogue.flatMap(({ versions }) => versions.map(({ recipe }) => treeId(recipe)));
      const trees = [...new Set([...ofCatalogue, ...roots.map(({ tree }) => tree)])];
      log.trace({ trees: trees.length }, "root file systems that are kept");
      await host.call("template.keep", { trees, olderThanMs: youngMs }, signal);
    },
  };
}

function rootOf(recipe: TreeRecipe, start: string | null, ports: number[]): TemplateRoot {
  return { tree: treeId(recipe), recipe, env: {}, start, ports };
}

/** These are the box's own. */
const ownVariables = new Set(["HOME", "USER", "LOGNAME", "SHELL", "TERM", "HOSTNAME", "PWD"]);

/** What an image gives its programs, as far as a box does not have its own. */
function boxEnvironment(env: Record<string, string>): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !ownVariables.has(name) && !name.startsWith("ALCOVE_"));
  return Object.fromEntries(
    kept.map(([name, value]) =>
      name === "PATH" ? [name, `/workspace/user/home/.local/bin:${value}:/opt/alcove/node/bin`] : [name, value],
    ),
  );
}

function versionView(version: string, status: TreeStatus | undefined, shows?: readonly string[]) {
  const tools = Object.entries(status?.tools ?? {}).filter(([name]) => shows?.includes(name) ?? true);
  return {
    version,
    state: status?.state ?? ("missing" as const),
    detail: status?.detail ?? "",
    percent: status?.percent ?? null,
    tools: Object.fromEntries(tools),
    sizeBytes: status?.sizeBytes ?? null,
  };
}

function catalogueView(
  entry: CatalogueTemplate,
  statuses: ReadonlyMap<string, TreeStatus>,
  users: ReadonlyMap<string, number>,
): Template {
  const versions = entry.versions.map(({ version, recipe }) =>
    versionView(version, statuses.get(treeId(recipe)), entry.shows),
  );
  const { version = "", state = "missing" as const, detail = "" } = versions[0] ?? {};
  const { name, title, description, start } = entry;
  return {
    name,
    title,
    description,
    version,
    state,
    detail,
    versions,
    source: "catalogue",
    start,
    ports: [...entry.ports],
    runtimes: ["embedded"],
    lacks: [],
    workspaces: users.get(name) ?? 0,
  };
}

function ownView(
  row: TemplateRow,
  statuses: ReadonlyMap<string, TreeStatus>,
  users: ReadonlyMap<string, number>,
): Template {
  const only = versionView("", statuses.get(row.root.tree));
  const { name, title, description, start, ports, source, lacks } = row;
  return {
    name,
    title,
    description,
    version: only.version,
    state: only.state,
    detail: only.detail,
    versions: [only],
    source,
    start,
    ports,
    runtimes: ["embedded"],
    lacks,
    workspaces: users.get(name) ?? 0,
  };
}
