import { readlink, rename, rm, symlink } from "node:fs/promises";

/** Makes the link lead to the target, in one step for whoever follows it. */
export async function pointTo(path: string, target: string): Promise<void> {
  if ((await readlink(path).catch(() => null)) === target) return;
  const draft = `${path}.draft`;
  await rm(draft, { force: true });
  await symlink(target, draft);
  await rename(draft, path);
}
