import type {
  BoxAddress,
  BoxHappening,
  BoxSpec,
  BoxState,
  ListedBox,
  Rootfs,
  RuntimeCapabilities,
  StartedBox,
} from "@alcove/contract/host";
import type { WorkspaceId } from "@alcove/contract/ids";
import type { Duplex } from "node:stream";

export type { BoxAddress, BoxHappening, BoxSpec, BoxState, RuntimeCapabilities, StartedBox };

export type BoxWish = Pick<BoxSpec, "name" | "limits" | "network">;

/**
 * What runs boxes. A runtime holds no truth: every call may be repeated, and after a crash of anything `list` and `inspect` tell what really is.
 * All failures are CodedErrors; `host_unreachable` when the runtime itself does not answer.
 */
export interface Runtime {
  readonly name: string;
  /** What this runtime can and cannot do here, and the command that mends each gap. */
  capabilities(signal: AbortSignal): Promise<RuntimeCapabilities>;
  /** Makes the box known; idempotent by workspace id, a later call replaces name, limits and env from the next start on. */
  create(spec: BoxSpec, signal: AbortSignal): Promise<void>;
  /**
   * A box that was made ahead, running with epoch 1 and as the wish wants it; null when there is none. Whoever claims it says so by `keep` once its workspace is
   * stored; until then `list` tells how long ago it was claimed.
   */
  claim(wish: BoxWish, signal: AbortSignal): Promise<{ address: BoxAddress; rootfs: Rootfs } | null>;
  /** Nothing happens when there is no such box any more. */
  keep(id: WorkspaceId, signal: AbortSignal): Promise<void>;
  /** Applies name, limits and network to the box as it runs and to later starts; what this runtime cannot limit is told by `capabilities`. */
  update(spec: BoxSpec, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the daemon answers with this epoch. The same epoch twice gives the same box. Codes: `epoch_stale` (a newer epoch was started, or this
   * one was stopped), `workspace_start_failed`, `namespaces_forbidden`, `host_full`, `not_found` (never created).
   */
  start(id: WorkspaceId, epoch: number, signal: AbortSignal): Promise<StartedBox>;
  /** Graceful, forced after three seconds; `epoch_stale` when a newer epoch runs. From then on this epoch cannot be started again. */
  stop(id: WorkspaceId, epoch: number, signal: AbortSignal): Promise<void>;
  /** Takes all CPU from the box; nothing happens where the runtime cannot or when it is not running. */
  freeze(id: WorkspaceId, signal: AbortSignal): Promise<void>;
  thaw(id: WorkspaceId, signal: AbortSignal): Promise<void>;
  /** Ends the box at once and forgets it; leaves no process, mount or cgroup. The volume is the volume store's. */
  destroy(id: WorkspaceId, signal: AbortSignal): Promise<void>;
  inspect(id: WorkspaceId, signal: AbortSignal): Promise<BoxState>;
  list(signal: AbortSignal): Promise<ListedBox[]>;
  /** The end of the box's log, at most `maxBytes` bytes; kept after the box has ended. */
  log(id: WorkspaceId, maxBytes: number, signal: AbortSignal): Promise<string>;
  /**
   * What happens to boxes: what came after the cursor, then what comes, until the signal aborts. Kept in memory only, the newest thousand. `host_unreachable`
   * when the line breaks: ask again with the newest cursor.
   */
  happenings(after: number, signal: AbortSignal): AsyncIterable<BoxHappening>;
  /** One stream to the daemon, the only way in. `workspace_unreachable` when nobody listens. */
  dial(address: BoxAddress, signal: AbortSignal): Promise<Duplex>;
}
