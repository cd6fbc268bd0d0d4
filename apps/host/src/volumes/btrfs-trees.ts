import { existsSync } from "node:fs";
import { mustRun, plainEnvironment, runCommand } from "../kernel/command.ts";
import { SystemCallError } from "../kernel/libc.ts";
import { createThread } from "../kernel/thread.ts";
import { createSubvolume, switchSimpleQuotaOn } from "./btrfs-calls.ts";
import { readTouchedPaths } from "./send-stream.ts";
import type { TreeOperations } from "./tree-thread.ts";
import type { Trees } from "./trees.ts";

/** Volumes as btrfs subvolumes. In a pool of our own simple quotas are switched on; somebody else's file system is left as it is. */
export function createBtrfsTrees(options: { folder: string; ownPool: boolean }): Trees {
  const thread = createThread<TreeOperations>("volumes", "tree-thread");
  const hasLimits = options.ownPool && switchQuotaOn(options.folder);
  return {
    kind: "btrfs",
    hasLimits,
    async create(path) {
      createSubvolume(path);
    },
    async copy(from, to, { readOnly }) {
      await thread.call("snapshot", { from, to, readOnly });
    },
    async remove(path) {
      if (!existsSync(path)) return;
      const { exitCode, stderr } = await runCommand(["btrfs", "-q", "subvolume", "delete", path]);
      if (exitCode !== 0 && existsSync(path)) throw new Error(`btrfs cannot delete a subvolume: ${stderr.trim()}`);
    },
    async touched(from, to) {
      const child = Bun.spawn(["btrfs", "-q", "send", "--no-data", "-p", from, to], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        cwd: "/",
        env: plainEnvironment,
      });
      const [paths, words, exitCode] = await Promise.all([
        readTouchedPaths(child.stdout),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      if (exitCode !== 0) throw new Error(`btrfs send ended with ${exitCode}: ${words.trim()}`);
      return paths;
    },
    async usage(path) {
      if (!hasLimits) return Number((await mustRun(["du", "-s", "--block-size=1", path])).split("\t")[0]);
      return (await groupOf(path)).bytes;
    },
    async limit(path, bytes) {
      if (!hasLimits) return;
      const { group } = await groupOf(path);
      // By way of the pool: a subvolume that is full has no room for the note that its limit was raised.
      await mustRun(["btrfs", "qgroup", "limit", bytes === undefined ? "none" : String(bytes), group, options.folder]);
    },
  };
}

/** The quota group of a subvolume, as `0/257`, and the bytes in it (btrfs-qgroup(8)). */
async function groupOf(path: string): Promise<{ group: string; bytes: number }> {
  const lines = (await mustRun(["btrfs", "qgroup", "show", "--raw", "-f", path])).trim().split("\n");
  const [group = "", bytes] = lines.at(-1)?.trim().split(/\s+/) ?? [];
  return { group, bytes: Number(bytes ?? 0) };
}

function switchQuotaOn(folder: string): boolean {
  try {
    switchSimpleQuotaOn(folder);
    return true;
  } catch (error) {
    // An older kernel does not know the command.
    if (error instanceof SystemCallError) return false;
    throw error;
  }
}
