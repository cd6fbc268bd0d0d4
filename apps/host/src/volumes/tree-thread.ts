import { serveThread } from "../kernel/serve-thread.ts";
import { snapshotSubvolume } from "./btrfs-calls.ts";

export type TreeOperations = typeof operations;

/** The thread that takes snapshots: the kernel answers when the disk has them, and nothing else of this process waits for that. */
const operations = {
  snapshot: ({ from, to, readOnly }: { from: string; to: string; readOnly: boolean }): void =>
    snapshotSubvolume(from, to, readOnly),
};
serveThread(operations);
