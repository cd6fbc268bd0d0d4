import { renameSync, writeFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";

/**
 * Replaces the file as a whole, on the disk before this resolves unless `survivesPowerCut` is false; readable by its owner only. A crash of this process alone
 * always leaves the old file or the new one.
 */
export async function writeFileAtomically(
  path: string,
  text: string,
  { survivesPowerCut = true }: { survivesPowerCut?: boolean } = {},
): Promise<void> {
  const fresh = `${path}.new`;
  if (!survivesPowerCut) {
    // It waits for no disk: on the way to a box, trips to another thread would take longer.
    writeFileSync(fresh, text, { mode: 0o600 });
    renameSync(fresh, path);
    return;
  }
  const file = await open(fresh, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
