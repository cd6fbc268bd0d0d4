import { CodedError } from "@alcove/contract/errors";
import type { WorkspaceId } from "@alcove/contract/ids";
import { makeFolder } from "../kernel/folders.ts";
import { openInRoot, openTop, pathOf, type Opened } from "../kernel/beneath.ts";
import { SystemCallError } from "../kernel/libc.ts";
import { bindMount, mountOverlay, unmountBelow, type BindOptions } from "../kernel/mounts.ts";
import { boxPaths, boxUser, type Site } from "../site.ts";
import type { RootSource } from "../template/root-source.ts";
import { volumePaths } from "../volumes/layout.ts";
import { writeHosts } from "./name-box.ts";
import { diskIdOffset } from "./id-range.ts";

export type RootParts = {
  site: Site;
  workspace: WorkspaceId;
  name: string;
  firstId: number;
  store: string;
  source: RootSource;
  /** The namespace by whose map the files of the disk appear; null where they appear as they are. */
  userNamespace: string | null;
};

/**
 * Puts the box's whole root together at `<stage>/<id>/root`: the overlay of the root's source and the workspace's own layer, with the volume, the journal and
 * the shared programs in their places. The box gets a copy in its own mount namespace; nobody needs these once it runs.
 */
export function assembleRoot({ site, workspace, name, firstId, store, source, userNamespace }: RootParts): void {
  const paths = boxPaths(site, workspace);
  const volume = volumePaths(store, workspace);
  const shift = site.privileged && userNamespace !== null ? { userNamespace } : {};
  makeFolder(paths.root);

  const place = (from: string, as: string): string => {
    if (!site.privileged) return from;
    const target = `${paths.bundle}/layers/${as}`;
    makeFolder(target);
    bindMount(from, target, shift);
    return target;
  };
  /** The box's root may have put links in the place of its folders: none leads a mount out of its root. */
  const mountAt = (name: string, mount: (target: string) => void): void => {
    using root = openTop(paths.root);
    using target = openPlace(root, name);
    mount(pathOf(target));
  };
  const bind = (from: string, to: string, options: BindOptions): void =>
    mountAt(to, (target) => bindMount(from, target, options));
  const upper = place(volume.rootLayer, "upper");
  const overlay = (lower: string[], layer: string, at: string): void => {
    const own = `${volume.rootLayer}/${source.layer}/${layer}`;
    for (const folder of [`${own}/upper`, `${own}/work`]) makeFolder(folder, { owner: diskIdOffset(site) });
    const inUpper = `${upper}/${source.layer}/${layer}`;
    const lowerFolders = lower.map((folder, index) => place(folder, `${layer}${index}`));
    mountAt(at, (target) =>
      mountOverlay(target, {
        lower: lowerFolders,
        upper: `${inUpper}/upper`,
        work: `${inUpper}/work`,
        userXattr: !site.privileged,
        as: firstId,
      }),
    );
  };

  overlay([...(source.over ?? []), source.root], "root", "");
  if (source.kind === "host") {
    overlay(["/usr"], "usr", "usr");
    // What the host's owner put into /usr/local is the host's own; the box has an empty one that it may fill.
    const local = `${volume.rootLayer}/${source.layer}/local`;
    for (const folder of ["", "/bin", "/etc", "/games", "/include", "/lib", "/sbin", "/share", "/src"])
      makeFolder(local + folder, { owner: diskIdOffset(site) + boxUser });
    bind(local, "usr/local", shift);
  }
  bind(volume.files, "workspace", { ...shift, noSuid: true });
  bind(volume.state, "workspace/system/state", { ...shift, noSuid: true });
  bind(`${site.data}/opt`, "opt/alcove", { ...shift, noSuid: true, readOnly: true });

  bind(writeHosts(paths.bundle, name), "etc/hosts", { readOnly: true });
}

/** A folder of every root, where a blank's next one is for a moment. */
export const nextRoot = "/mnt";

/** Puts a blank's root together: what its daemon begins with is what it will have, without the workspace's own files over it. */
export function assembleBlank(site: Site, id: string, source: RootSource): void {
  const { root } = boxPaths(site, id);
  makeFolder(root);
  const options = { readOnly: true, noSuid: true };
  bindMount(source.root, root, options);
  if (source.kind === "host") bindMount("/usr", `${root}/usr`, options);
  bindMount(`${site.data}/opt`, `${root}/opt/alcove`, options);
}

function openPlace(root: Opened, name: string): Opened {
  try {
    return openInRoot(root, name);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new CodedError("workspace_start_failed", `Cannot start the workspace: its /${name} is gone (${error.code})`, {
      hint: "Restore a snapshot in which it was still there.",
      cause: error,
    });
  }
}

/** Takes all mounts of the box's assembly away; the box itself keeps its copy. */
export function dismantleRoot(site: Site, workspace: WorkspaceId): void {
  unmountBelow(boxPaths(site, workspace).bundle);
}
