import { CodedError } from "@alcove/contract/errors";
import type { TemplateStatus } from "@alcove/contract/host";
import type { WorkspaceId } from "@alcove/contract/ids";
import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { diskIdOffset } from "../boxes/id-range.ts";
import type { Site } from "../site.ts";
import { volumePaths } from "../volumes/layout.ts";
import type { Trees } from "../volumes/trees.ts";
import { createBaseTree, type BaseTree } from "./base-tree.ts";
import type { RootSource } from "./root-source.ts";
import { makeSkeleton, skeletonVersion } from "./skeleton.ts";

export interface Template {
  readonly base: BaseTree;
  /** Folder of all root file systems that were built or given. */
  readonly folder: string;
  status(): TemplateStatus;
  /**
   * What the workspace's root lies over: what it lay over before as long as that has anything of it, else the tree that is asked for, else the usual one, else the
   * host. Code: `template_not_built`.
   */
  rootFor(id: WorkspaceId, tree?: string): Promise<RootSource>;
  /** Makes what boxes over the host's programs need, so that the first of them does not wait for it. */
  prepare(): Promise<void>;
}

/** The root file systems that boxes are made over, below the volume store's folder. */
export function createTemplate({ site, store, trees }: { site: Site; store: string; trees: Trees }): Template {
  const folder = `${store}/templates`;
  const base = createBaseTree({ site, trees, folder });
  const skeleton = `${site.data}/skeleton/${skeletonVersion}`;
  let skeletonMade: Promise<void> | undefined;

  const hostRoot: RootSource = { kind: "host", root: skeleton, layer: "host" };
  const templateRoot = (name: string): RootSource => ({
    kind: "template",
    root: `${folder}/${name}`,
    layer: `template-${name}`,
  });

  const makeHostRoot = async (): Promise<void> => {
    if (existsSync(skeleton)) return;
    await mkdir(`${site.data}/skeleton`, { recursive: true, mode: 0o755 });
    skeletonMade ??= makeSkeleton(skeleton, diskIdOffset(site)).finally(() => (skeletonMade = undefined));
    await skeletonMade;
  };

  return {
    base,
    folder,
    status: base.status,
    async rootFor(id, tree) {
      const layers = namesIn(volumePaths(store, id).rootLayer);
      const own = layers.filter((name) => name.startsWith("template-")).map((name) => name.slice("template-".length));
      const kept = own.find((name) => existsSync(`${folder}/${name}`));
      if (kept !== undefined) return templateRoot(kept);
      if (tree !== undefined) {
        if (existsSync(`${folder}/${tree}`)) return templateRoot(tree);
        throw new CodedError(
          "template_not_built",
          "Cannot start the workspace: its template is not built on this host",
        );
      }
      const installed = namesIn(`${volumePaths(store, id).rootLayer}/host/usr/upper`);
      if (base.isThere() && installed.length === 0) return templateRoot(base.version);
      await makeHostRoot();
      return hostRoot;
    },
    prepare: makeHostRoot,
  };
}

/** Empty when there is no such folder. */
function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
