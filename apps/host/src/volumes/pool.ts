import { chmod, mkdir, open, rename, rm, statfs, truncate } from "node:fs/promises";
import { existsSync } from "node:fs";
import { findProgram, runCommand } from "../kernel/command.ts";
import { listMounts } from "../kernel/mounts.ts";
import type { Site } from "../site.ts";

const gib = 2 ** 30;
const largestPool = 64 * gib;
const smallestPool = 2 * gib;

/** Where volumes are kept, and how. */
export type Store = {
  kind: "btrfs" | "plain";
  folder: string;
  /** False on a btrfs file system of somebody else. */
  isOwnPool: boolean;
  /** Why it is not a pool, and what would have to be there for one; null where nothing helps any more. */
  why: string;
  lacks: "root" | "btrfs-progs" | null;
};

/**
 * Opens the place for volumes: the pool in a sparse file where root rights and the kernel allow it, a btrfs file system that the data directory is already on,
 * plain folders elsewhere. The choice is kept: a data directory that has plain volumes stays with them. The mount outlives this process, as boxes do.
 */
export async function openStore(site: Site): Promise<Store> {
  const plain = `${site.data}/volumes`;
  const usePlain = async (why: string, lacks: Store["lacks"] = null): Promise<Store> => {
    await mkdir(plain, { recursive: true, mode: 0o711 });
    await makePrivate(`${plain}/workspaces`);
    return { kind: "plain", folder: plain, isOwnPool: false, why, lacks };
  };
  const pool = `${site.data}/pool`;
  const image = `${site.data}/pool.img`;
  if (!existsSync(image)) {
    if (existsSync(`${plain}/workspaces`))
      return usePlain("this data directory began with them; workspaces move to another one by export and import");
    if (!site.privileged) return usePlain("a pool needs root rights", "root");
    if (findProgram("btrfs") === null || findProgram("mkfs.btrfs") === null)
      return usePlain("btrfs-progs is not installed", "btrfs-progs");
  }
  await mkdir(pool, { recursive: true, mode: 0o711 });
  if (!(await isBtrfs(pool))) {
    const problem = await mountPool(image, pool);
    // Files are in the pool: to go on without it would look as if they were gone.
    if (problem !== null && existsSync(image)) throw new Error(problem);
    if (problem !== null) return usePlain(problem);
  }
  await makePrivate(`${pool}/workspaces`);
  return { kind: "btrfs", folder: pool, isOwnPool: existsSync(image), why: "", lacks: null };
}

/** Whose files are in there decides about them in a box; outside, nobody else may reach them: not to read, nor to run as whoever they belong to. */
async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
}

/** Mounts the pool file, made before if it is missing; null, or why that is not possible. */
async function mountPool(image: string, pool: string): Promise<string | null> {
  if (!existsSync(image)) {
    const { bavail, bsize } = await statfs(pool);
    const size = Math.floor(Math.min(largestPool, bavail * bsize * 0.6) / gib) * gib;
    if (size < smallestPool) return "less than 4 GiB of disk are free";
    const fresh = `${image}.new`;
    const file = await open(fresh, "w", 0o600);
    await file.close();
    await truncate(fresh, size);
    const made = await runCommand(["mkfs.btrfs", "--quiet", "--label", "alcove", "--metadata", "single", fresh]);
    if (made.exitCode !== 0) return `mkfs.btrfs failed: ${made.stderr.trim()}`;
    await rename(fresh, image);
    const problem = await mountImage(image, pool);
    // A kernel without btrfs: the pool was never used, and plain folders take its place.
    if (problem !== null) await rm(image);
    return problem;
  }
  return mountImage(image, pool);
}

/** `mount -o loop` takes a loop device that is already there for this file, and the kernel frees it after the last unmount. */
async function mountImage(image: string, pool: string): Promise<string | null> {
  const { exitCode, stderr } = await runCommand([
    "mount",
    "-t",
    "btrfs",
    "-o",
    "loop,noatime,discard=async,nosuid,nodev",
    image,
    pool,
  ]);
  return exitCode === 0 ? null : `the pool cannot be mounted: ${stderr.trim()}`;
}

async function isBtrfs(path: string): Promise<boolean> {
  const btrfsMagic = 0x9123683e;
  return (await statfs(path)).type === btrfsMagic;
}

/** Takes the pool's mount away, with the loop device; nothing happens while a box still uses it. */
export async function closeStore(site: Site): Promise<void> {
  const pool = `${site.data}/pool`;
  if (!listMounts().some(({ target }) => target === pool)) return;
  await runCommand(["umount", pool]);
}

/** True when less than 1 % and less than 512 MiB are free where the path is. */
export async function isFull(path: string): Promise<boolean> {
  const { bavail, blocks, bsize } = await statfs(path);
  return bavail * bsize < 512 * 2 ** 20 && bavail < blocks / 100;
}
