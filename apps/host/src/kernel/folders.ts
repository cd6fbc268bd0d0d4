import { chownSync, mkdirSync, statSync } from "node:fs";

/**
 * Makes the folder and those above it where they are missing, with this owner. Synchronous, as all small work on the way to a box is: some hundred trips to another
 * thread would cost each start more than what they do.
 */
export function makeFolder(path: string, { mode = 0o755, owner }: { mode?: number; owner?: number } = {}): void {
  const known = statSync(path, { throwIfNoEntry: false });
  if (known === undefined) mkdirSync(path, { recursive: true, mode });
  if (owner !== undefined && (known?.uid !== owner || known.gid !== owner)) chownSync(path, owner, owner);
}
