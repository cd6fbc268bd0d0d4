import type { HostLoad } from "@alcove/contract/api/account";
import { readFile, statfs } from "node:fs/promises";

/** Memory as /proc/meminfo tells it (proc(5)), and the disk of the data directory. */
export async function readLoad(data: string): Promise<HostLoad> {
  const [memory, { blocks, bavail, bsize }] = await Promise.all([readFile("/proc/meminfo", "utf8"), statfs(data)]);
  const bytes = (name: string) => Number(new RegExp(`^${name}: +([0-9]+) kB$`, "m").exec(memory)?.[1] ?? 0) * 1_024;
  return {
    memoryTotalBytes: bytes("MemTotal"),
    memoryAvailableBytes: bytes("MemAvailable"),
    diskTotalBytes: blocks * bsize,
    diskFreeBytes: bavail * bsize,
  };
}
