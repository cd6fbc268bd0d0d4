import { open, rename } from "node:fs/promises";

/** Replaces the file as a whole, on the disk before this resolves; readable by its owner only. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
