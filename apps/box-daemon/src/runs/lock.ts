import { closeSync, existsSync, openSync } from "node:fs";
import { tryLock } from "../system/libc.ts";

/** Takes the lock file; null when a living process has it. The lock ends when the descriptor, and every copy that a child got, is closed. */
export function takeLock(path: string): number | null {
  const fd = openSync(path, "a", 0o600);
  if (tryLock(fd)) return fd;
  closeSync(fd);
  return null;
}

/** True while a living process has the lock. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const fd = takeLock(path);
  if (fd === null) return true;
  closeSync(fd);
  return false;
}
