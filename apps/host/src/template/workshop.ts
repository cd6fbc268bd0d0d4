import { chown, mkdir, rm, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import { createNamespaces } from "../boxes/namespaces.ts";
import { sharedFirstId } from "../boxes/id-range.ts";
import { bindMount, unmount } from "../kernel/mounts.ts";
import type { Site } from "../site.ts";

/** Environment variable of everything that takes part in a build; its value is the site's instance. */
export const buildMark = "ALCOVE_TEMPLATE_BUILD";

/** Where a tree, which is there, is built: the command that leads there, and the tree's path as it is seen there. */
export interface Workshop extends AsyncDisposable {
  enter: string[];
  tree: string;
  env: Record<string, string>;
}

/** No mount of the build is seen outside, and all of it ends with its first process. */
const apart = [
  "unshare",
  "--mount",
  "--propagation",
  "private",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
  "--",
];

/** With root rights: the tree gets plain ids. */
export function openWorkshop(tree: string): Workshop {
  return { enter: apart, tree, env: {}, [Symbol.asyncDispose]: async () => undefined };
}

/**
 * As an ordinary user: as root of a user namespace like a box's, so that the tree gets the ids that boxes have. It walks there by a mount of its own, because
 * the user's home is closed to those ids.
 */
export async function openSharedWorkshop(site: Site, folder: string, tree: string): Promise<Workshop> {
  const place = `${site.stage}/template-${basename(tree)}`;
  await chown(tree, sharedFirstId, sharedFirstId);
  const scratch = `${tree}.scratch`;
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { mode: 0o700 });
  await chown(scratch, sharedFirstId, sharedFirstId);
  await mkdir(place, { recursive: true, mode: 0o755 });
  unmount(place);
  const namespaces = await createNamespaces(sharedFirstId);
  bindMount(folder, place);
  return {
    enter: ["nsenter", "--target", String(namespaces.pid), "--user", "--", ...apart],
    tree: place + tree.slice(folder.length),
    env: { TMPDIR: place + scratch.slice(folder.length) },
    async [Symbol.asyncDispose]() {
      unmount(place);
      await rmdir(place);
      namespaces[Symbol.dispose]();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
