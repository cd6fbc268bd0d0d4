import { readdir, readlink, readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { errno, readIfPresent } from "./cluster.ts";

/** What `postmaster.pid` says; the format is PostgreSQL's `miscadmin.h`, LOCK_FILE_LINE_*. */
export type Postmaster = { pid: number; socketDirectory: string; ready: boolean };

/** The server that runs on the data directory, or null. A lock file that a killed server left behind does not count. */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | null> {
  const text = await readIfPresent(join(dataDirectory, "postmaster.pid"));
  if (text === null) return null;
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !(await isPostgresOf(pid, dataDirectory))) return null;
  return { pid, socketDirectory: lines[4] ?? "", ready: lines[7]?.trim() === "ready" };
}

/**
 * Removes a lock file whose process id now belongs to some other program: PostgreSQL would take that for a running server and refuse to start.
 * In all other cases it stays, because PostgreSQL judges it better: through it, it finds the shared memory that processes of a killed server
 * may still use.
 */
export async function removeStrangersLock(dataDirectory: string): Promise<void> {
  const path = join(dataDirectory, "postmaster.pid");
  const text = await readIfPresent(path);
  const named = Number(text?.split("\n")[0]);
  if (!(named > 0) || !(await isRunning(named)) || (await isPostgresOf(named, dataDirectory))) return;
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of processes) if (await isPostgresOf(pid, dataDirectory)) return;
  // Another start may have come first and its server have written a lock of its own.
  if ((await readIfPresent(path)) === text) await rm(path, { force: true });
}

/** True when the process is a PostgreSQL whose working directory is the data directory (where every one of its processes stays). */
async function isPostgresOf(pid: number, dataDirectory: string): Promise<boolean> {
  try {
    if ((await readFile(`/proc/${pid}/comm`, "utf8")).trim() !== "postgres") return false;
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(dataDirectory));
  } catch (error) {
    const code = errno(error);
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return false;
    throw error;
  }
}

/** False once the process is gone; a zombie counts as gone. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat !== null && !/\) [ZX] /.test(stat);
}
