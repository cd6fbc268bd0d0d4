import { closeSync, openSync } from "node:fs";
import { basename, dirname } from "node:path";
import { check, libc } from "../kernel/libc.ts";

/** BTRFS_IOC_SUBVOL_CREATE (linux/btrfs.h). */
const subvolumeCreate = 0x5000940en;
/** struct btrfs_ioctl_vol_args: a descriptor of 8 bytes and a name that ends in a NUL. */
const argumentsBytes = 4_096;
const nameAt = 8;

/** BTRFS_IOC_SNAP_CREATE_V2, and BTRFS_SUBVOL_RDONLY. */
const snapshotCreate = 0x50009417n;
const readOnlyFlag = 2n;
/** struct btrfs_ioctl_vol_args_v2: a descriptor, a transaction, flags, 32 bytes for quota groups, and the name; of the same size. */
const flagsAt = 16;
const secondNameAt = 56;

/** BTRFS_IOC_QUOTA_CTL with BTRFS_QUOTA_CTL_ENABLE_SIMPLE_QUOTA, Linux ≥ 6.7. */
const quotaControl = 0xc0109428n;
const enableSimpleQuota = 4n;

/** Makes an empty subvolume, as `btrfs subvolume create` does, without a process of its own. Throws a SystemCallError. */
export function createSubvolume(path: string): void {
  const request = Buffer.alloc(argumentsBytes);
  request.write(basename(path), nameAt);
  ask(dirname(path), "BTRFS_IOC_SUBVOL_CREATE", subvolumeCreate, request);
}

/** Makes a copy of a subvolume at a path that is not there yet, as `btrfs subvolume snapshot` does. It waits for the disk. Throws a SystemCallError. */
export function snapshotSubvolume(from: string, to: string, readOnly: boolean): void {
  const source = openSync(from, "r");
  try {
    const request = Buffer.alloc(argumentsBytes);
    request.writeBigInt64LE(BigInt(source), 0);
    request.writeBigUInt64LE(readOnly ? readOnlyFlag : 0n, flagsAt);
    request.write(basename(to), secondNameAt);
    ask(dirname(to), "BTRFS_IOC_SNAP_CREATE_V2", snapshotCreate, request);
  } finally {
    closeSync(source);
  }
}

/** Throws a SystemCallError where the kernel does not know simple quotas. */
export function switchSimpleQuotaOn(folder: string): void {
  const request = Buffer.alloc(16);
  request.writeBigUInt64LE(enableSimpleQuota, 0);
  ask(folder, "BTRFS_IOC_QUOTA_CTL", quotaControl, request);
}

function ask(folder: string, name: string, control: bigint, request: Buffer): void {
  const directory = openSync(folder, "r");
  try {
    check(name, libc.ioctl(directory, control, request));
  } finally {
    closeSync(directory);
  }
}
