import type { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { treeId } from "@alcove/base/tree-id";
import type { Finding } from "@alcove/contract/api/account";
import type { CreateTemplate, Template, UploadTemplate } from "@alcove/contract/api/template";
import { CodedError } from "@alcove/contract/errors";
import { unpackedTreeSchema, type RuntimeName, type TreeRecipe, type TreeStatus } from "@alcove/contract/host";
import type { ImageRoot, TemplateRoot, TreeRoot } from "../database/schema.ts";
import { pause } from "../events/wake.ts";
import type { HostClient } from "../host/host-client.ts";
import type { BuildContexts } from "./build-contexts.ts";
import { catalogue, nodeReleases } from "./catalogue.ts";
import { readDevContainer, type DevContainer } from "./devcontainer.ts";
import type { ImageBuilds } from "./image-builds.ts";
import { nearestNames } from "./nearest-names.ts";
import type { TemplateRow, TemplateStore } from "./template-store.ts";
import { catalogueView, ownView } from "./template-view.ts";

/** What of a given root file system is taken at most, packed and unpacked. */
const largestBytes = 16 * 2 ** 30;
const lookEveryMs = 300;
/** Milliseconds after which nobody waits for a build any more; the host process gives it up before. */
const longestWaitMs = 20 * 60_000;
/** A host process that starts again may take so many milliseconds. */
const hostGoneMs = 60_000;
/** Longer than a root file system is there before it is in a table, in milliseconds. */
const youngMs = 600_000;

type Say = (detail: string) => Promise<void>;

/** The catalogue and people's own templates, and the root file systems that they are. */
export interface Templates {
  list(owner: string, signal: AbortSignal): Promise<Template[]>;
  /** Code: `template_unknown`. */
  get(owner: string, name: string, signal: AbortSignal): Promise<Template>;
  /** What a workspace of `name` or `name@version` lies over. Code: `template_unknown`, with the nearest names. */
  resolve(owner: string, wanted: string): Promise<TemplateRoot>;
  /** Begins to build what is not there. Codes: `template_unavailable`, `template_not_built`. */
  build(root: TemplateRoot, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the root file system is there, with all that is known of it then, and says meanwhile how far it is. Codes: of `build`, `template_build_failed`,
   * `image_build_failed`, `runtime_unavailable`.
   */
  makeReady(root: TemplateRoot, say: Say, signal: AbortSignal): Promise<TemplateRoot>;
  /** Codes: `name_taken`, `template_unknown` (no such version of Node), `template_invalid` (what a devcontainer.json asks for). */
  add(owner: string, wish: CreateTemplate): Promise<void>;
  /** Takes a root file system, or what an image is built of. Codes: `name_taken`, `template_invalid`, `too_large`, `host_full`. */
  upload(owner: string, wish: UploadTemplate, archive: Readable, signal: AbortSignal): Promise<void>;
  /** Codes: `template_unknown`, `template_in_use`, `not_allowed` (of the catalogue). */
  remove(owner: string, name: string): Promise<void>;
  /** What the host lacks for templates that somebody has. */
  findings(signal: AbortSignal): Promise<Finding[]>;
  /** Removes root file systems that no template and no workspace has. */
  tidy(signal: AbortSignal): Promise<void>;
}

export function createTemplates(parts: {
  store: TemplateStore;
  host: HostClient;
  contexts: BuildContexts;
  builds: ImageBuilds;
  usableRuntimes: (signal: AbortSignal) => Promise<readonly RuntimeName[]>;
}): Templates {
  const { store, host, contexts, builds, usableRuntimes } = parts;
  const statusesOf = async (
    trees: readonly string[],
    signal: AbortSignal,
    nix: string[] = [],
  ): Promise<Map<string, TreeStatus>> => {
    const statuses = await host.call("template.trees", { trees: [...new Set(trees)], nix }, signal);
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
    const [statuses, users, runtimes] = await Promise.all([
      statusesOf(
        [...treesOfCatalogue(), ...treesOf(own.map(({ root }) => root))],
        signal,
        treesOf(own.filter(({ source }) => source === "nix").map(({ root }) => root)),
      ),
      store.users(owner),
      usableRuntimes(signal),
    ]);
    const seen = { statuses, users, runtimes, builds };
    return [...catalogue.map((entry) => catalogueView(entry, seen)), ...own.map((row) => ownView(row, seen))];
  };

  const requireFree = async (owner: string, name: string): Promise<void> => {
    if (catalogue.some((entry) => entry.name === name))
      throw new CodedError("name_taken", `The catalogue has a template named "${name}".`);
    if (await store.find(owner, name))
      throw new CodedError("name_taken", `You already have a template named "${name}".`);
  };

  const buildTree = async ({ tree, recipe }: TreeRoot, signal: AbortSignal): Promise<TreeStatus> => {
    if (recipe) return host.call("template.build", { tree, recipe }, signal);
    const status = (await statusesOf([tree], signal)).get(tree);
    if (status?.state !== "ready")
      throw new CodedError("template_not_built", "The root file system that was given is gone", {
        hint: "Add the template again.",
      });
    return status;
  };

  const build = async (root: TemplateRoot, signal: AbortSignal): Promise<void> => {
    if (root.kind === "tree") await buildTree(root, signal);
    else if (root.build) builds.begin(root.build);
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

  const makeTreeReady = async (root: TreeRoot, say: Say, signal: AbortSignal): Promise<TreeRoot> => {
    const end = Date.now() + longestWaitMs;
    let status: TreeStatus | undefined = await buildTree(root, signal);
    for (let told = ""; status?.state !== "ready"; status = await lookPatiently(root.tree, signal)) {
      if (status?.state === "failed") throw new CodedError("template_build_failed", status.detail);
      // The host process that built it is gone.
      if (status?.state === "missing") await buildTree(root, signal);
      if (Date.now() > end) throw new CodedError("template_build_failed", "The template took too long to build.");
      if (status && status.detail !== told) await say((told = status.detail));
      await pause(lookEveryMs, signal);
      signal.throwIfAborted();
    }
    return root;
  };

  const makeImageReady = async (root: ImageRoot, say: Say, signal: AbortSignal): Promise<ImageRoot> => {
    if (!root.build) return root;
    const before = builds.look(root.build).state;
    if (before === "missing" || before === "failed") builds.begin(root.build);
    for (let told = ""; ;) {
      const known = builds.look(root.build);
      if (known.state === "ready") return { ...root, image: known.image };
      if (known.state === "failed") throw known.error;
      if (known.state === "building" && known.detail !== told) await say((told = known.detail));
      await pause(lookEveryMs, signal);
      signal.throwIfAborted();
    }
  };

  const keepPackages = async (owner: string, wish: CreateTemplate, packages: string[]): Promise<void> => {
    const { node } = wish;
    const release = node === undefined ? null : Object.entries(nodeReleases).find(([major]) => major === node)?.[1];
    if (release === undefined)
      throw new CodedError(
        "template_unknown",
        `There is no Node "${node}"; there are ${Object.keys(nodeReleases).join(", ")}.`,
      );
    const recipe = { packages: [...new Set(packages)], node: release, npm: [] };
    const words = [...(node === undefined ? [] : [`Node ${node}`]), ...packages].slice(0, 6).join(", ");
    await keep(owner, wish, "packages", treeRoot(recipe, wish.start ?? null, wish.ports ?? []), `With ${words}`);
  };

  const keepNix = async (owner: string, wish: CreateTemplate, nix: NonNullable<TreeRecipe["nix"]>): Promise<void> => {
    const recipe = { packages: [], node: null, npm: [], nix };
    const root = treeRoot(recipe, wish.start ?? null, wish.ports ?? []);
    const env = boxEnvironment({ PATH: `${nixPrograms}:${usualPath}` });
    await keep(owner, wish, "nix", { ...root, env }, `As a ${nix.file} of your own describes it`);
  };

  const keepGiven = async (
    owner: string,
    wish: UploadTemplate,
    archive: Readable,
    signal: AbortSignal,
  ): Promise<void> => {
    const answer = await host.upload("template.unpack", { largestBytes }, archive, signal);
    const { tree, kind, env, start, ports, lacks } = unpackedTreeSchema.parse(await json(answer));
    const shell: Record<string, string> = lacks.includes("bash") ? { SHELL: "/bin/sh" } : {};
    const root: TreeRoot = {
      kind: "tree",
      tree,
      recipe: null,
      env: { ...boxEnvironment(env), ...shell },
      start: wish.start ?? start,
      ports: wish.ports ?? ports,
    };
    const words = kind === "oci" ? "An image of your own" : "A root file system of your own";
    await keep(owner, wish, kind, root, words, lacks);
  };

  const keepImage = async (
    owner: string,
    wish: CreateTemplate | UploadTemplate,
    source: "image" | "dockerfile" | "devcontainer",
    of: Pick<ImageRoot, "image" | "build"> & Partial<ImageRoot>,
    words = of.build ? "Built of a Dockerfile of your own" : `The image ${of.image}`,
  ): Promise<void> => {
    const { start = null, ports = [] } = wish;
    await keep(owner, wish, source, { kind: "image", env: {}, start, ports, onCreate: [], onStart: [], ...of }, words);
  };

  const keepDevContainer = (
    owner: string,
    wish: CreateTemplate | UploadTemplate,
    { name, source, env, ports, onCreate, onStart }: DevContainer,
    built: { context: string; dockerfile: string },
  ): Promise<void> =>
    keepImage(
      owner,
      wish,
      "devcontainer",
      {
        image: source.kind === "image" ? source.image : null,
        build: source.kind === "image" ? null : { ...built, args: source.args },
        env: boxEnvironment(env),
        ports: wish.ports ?? ports,
        onCreate,
        onStart,
      },
      name === null ? "As a devcontainer.json describes it" : `${name}, as a devcontainer.json describes it`,
    );

  const keep = async (
    owner: string,
    { name, title = name, description }: CreateTemplate | UploadTemplate,
    source: TemplateRow["source"],
    root: TemplateRoot,
    words: string,
    lacks: string[] = [],
  ): Promise<void> => {
    const { start, ports } = root;
    await store.insert({
      ownerId: owner,
      name,
      title,
      description: description ?? words,
      start,
      ports,
      source,
      root,
      lacks,
    });
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
        return treeRoot(chosen.recipe, entry.start, [...entry.ports]);
      }
      const row = version === undefined ? await store.find(owner, name) : undefined;
      if (!row) throw await unknown(owner, wanted);
      return row.root;
    },

    build,

    makeReady: (root, say, signal) =>
      root.kind === "tree" ? makeTreeReady(root, say, signal) : makeImageReady(root, say, signal),

    async add(owner, wish) {
      await requireFree(owner, wish.name);
      const { packages, image, dockerfile, devcontainer, nix } = wish;
      if (nix !== undefined) return keepNix(owner, wish, nix);
      if (packages !== undefined) return keepPackages(owner, wish, packages);
      if (devcontainer !== undefined) {
        const said = readDevContainer(devcontainer);
        if (said.source.kind === "build" && dockerfile === undefined)
          throw new CodedError("template_invalid", "The devcontainer.json names a Dockerfile, which was not sent", {
            hint: "Send the Dockerfile with it, or the whole folder: `alcove template add NAME --devcontainer FOLDER`.",
          });
        const context = await contexts.keepFiles({ Dockerfile: dockerfile ?? "" });
        return keepDevContainer(owner, wish, said, { context, dockerfile: "Dockerfile" });
      }
      if (dockerfile !== undefined) {
        const context = await contexts.keepFiles({ Dockerfile: dockerfile });
        return keepImage(owner, wish, "dockerfile", {
          image: null,
          build: { context, dockerfile: "Dockerfile", args: {} },
        });
      }
      await keepImage(owner, wish, "image", { image: image ?? null, build: null });
    },

    async upload(owner, wish, archive, signal) {
      await requireFree(owner, wish.name);
      const { dockerfile, devcontainer } = wish;
      if (devcontainer !== undefined) {
        const sent = await contexts.keep(archive);
        const said = readDevContainer(await contexts.read(sent, devcontainer), devcontainer);
        const folder = said.source.kind === "build" ? said.source.context : ".";
        const file = said.source.kind === "build" ? said.source.dockerfile : "Dockerfile";
        return keepDevContainer(owner, wish, said, {
          context: await contexts.keepFolder(sent, folder),
          dockerfile: file,
        });
      }
      if (dockerfile !== undefined) {
        const context = await contexts.keep(archive);
        await contexts.read(context, dockerfile);
        return keepImage(owner, wish, "dockerfile", { image: null, build: { context, dockerfile, args: {} } });
      }
      await keepGiven(owner, wish, archive, signal);
    },

    async remove(owner, name) {
      if (catalogue.some((entry) => entry.name === name))
        throw new CodedError("not_allowed", `"${name}" belongs to the catalogue.`, {
          hint: "Templates that you have added can be deleted.",
        });
      if (!(await store.find(owner, name))) throw await unknown(owner, name);
      await store.remove(owner, name);
    },

    async findings(signal) {
      const roots = await store.roots();
      if (!roots.some((root) => root.kind === "tree" && root.recipe?.nix !== undefined)) return [];
      const { finding } = await host.call("template.nix", {}, signal);
      return finding === null ? [] : [finding];
    },

    async tidy(signal) {
      const roots = await store.roots();
      const trees = [...new Set([...treesOfCatalogue(), ...treesOf(roots)])];
      await host.call("template.keep", { trees, olderThanMs: youngMs }, signal);
      await contexts.tidy(
        new Set(roots.flatMap((root) => (root.kind === "image" && root.build ? [root.build.context] : []))),
      );
    },
  };
}

function treeRoot(recipe: TreeRecipe, start: string | null, ports: number[]): TreeRoot {
  return { kind: "tree", tree: treeId(recipe), recipe, env: {}, start, ports };
}

function treesOfCatalogue(): string[] {
  return catalogue.flatMap(({ versions }) => versions.map(({ recipe }) => treeId(recipe)));
}

function treesOf(roots: readonly TemplateRoot[]): string[] {
  return roots.flatMap((root) => (root.kind === "tree" ? [root.tree] : []));
}

/** Where the host puts the programs of a Nix expression. */
const nixPrograms = "/nix/profile/bin";
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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
