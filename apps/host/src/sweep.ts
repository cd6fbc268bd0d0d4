import { isId } from "@alcove/contract/ids";
import { readdir, rm } from "node:fs/promises";
import type { Boxes } from "./boxes/boxes.ts";
import type { Cgroups } from "./cgroups/cgroups.ts";
import { unmountBelow } from "./kernel/mounts.ts";
import type { Site } from "./site.ts";

/** Adopts the boxes that still run and removes everything else of ours: what a crash left, and what has no record. */
export async function sweep({ site, boxes, cgroups }: { site: Site; boxes: Boxes; cgroups: Cgroups }): Promise<void> {
  const ids = await boxes.ids();
  const known = new Set<string>(ids);
  for (const id of ids) {
    // A folder without a record is what is left of a box whose creation or end was cut short.
    if ((await boxes.inspect(id)).state === "absent") {
      await boxes.destroy(id);
      known.delete(id);
    } else await boxes.tidy(id);
  }
  for (const name of cgroups.list()) if (!known.has(name)) await cgroups.destroy(name);
  for (const name of await readdir(site.stage)) {
    if (known.has(name) || !isId("workspace", name)) continue;
    unmountBelow(`${site.stage}/${name}`);
    await rm(`${site.stage}/${name}`, { recursive: true, force: true });
  }
  // In each of these folders, what bears the name of a box is that box's.
  for (const folder of [`${site.data}/run/boxes`, `${site.data}/logs/boxes`, `${site.stage}/crun`])
    for (const name of await readdir(folder)) {
      const [id = ""] = name.split(".");
      if (!known.has(id)) await rm(`${folder}/${name}`, { recursive: true, force: true });
    }
}
