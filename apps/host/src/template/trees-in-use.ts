import { readdir } from "node:fs/promises";
import type { BoxRecords } from "../boxes/box-record.ts";

const layer = /^template-([0-9a-f]+)$/;

/** Names of the trees that a workspace, one of its snapshots or a box lies over. */
export async function treesInUse(store: string, records: BoxRecords): Promise<Set<string>> {
  const used = new Set<string>();
  const lookAt = async (rootLayer: string): Promise<void> => {
    for (const name of await readdir(rootLayer).catch(() => [])) {
      const tree = layer.exec(name)?.[1];
      if (tree !== undefined) used.add(tree);
    }
  };
  for (const id of await readdir(`${store}/workspaces`)) {
    const volume = `${store}/workspaces/${id}`;
    await lookAt(`${volume}/live/root`);
    for (const snapshot of await readdir(`${volume}/snapshots`).catch(() => []))
      await lookAt(`${volume}/snapshots/${snapshot}/root`);
  }
  for (const { template } of records.all()) if (template !== undefined) used.add(template);
  return used;
}
