import type { Usage } from "@alcove/contract/api/workspace";
import type { BoxUsage } from "@alcove/contract/host";
import type { WorkspaceId } from "@alcove/contract/ids";
import type { Log } from "../log/log.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { VolumeStore } from "../volumes/volume-store.ts";

/** Milliseconds for which figures are given again without another look. */
const freshMs = 1_500;
/** Looking at a disk costs the host a process, or a walk. */
const diskFreshMs = 10_000;

/** Live figures of boxes, read when somebody asks and not otherwise. Asking wakes nothing. */
export interface UsageReader {
  /** Figures of all boxes that run, at most a moment old; what cannot be read is left out. */
  all(signal: AbortSignal): Promise<(id: WorkspaceId) => Usage | null>;
  /** The same for one, with its disk. */
  of(id: WorkspaceId, signal: AbortSignal): Promise<Usage | null>;
}

interface Sample {
  readonly at: number;
  readonly usage: BoxUsage;
  readonly cpuPercent: number | null;
}

export function createUsageReader({
  runtime,
  volumes,
  log,
  now = Date.now,
}: {
  runtime: Runtime;
  volumes: VolumeStore;
  log: Log;
  now?: () => number;
}): UsageReader {
  let samples = new Map<WorkspaceId, Sample>();
  let readAt = 0;
  let reading: Promise<void> | undefined;
  const disks = new Map<WorkspaceId, { at: number; bytes: number }>();

  const read = async (signal: AbortSignal): Promise<void> => {
    const boxes = await runtime.list(signal);
    const at = now();
    const next = new Map<WorkspaceId, Sample>();
    for (const { id, state } of boxes) {
      if (state.state !== "running" || state.usage === null) continue;
      next.set(id, { at, usage: state.usage, cpuPercent: cpuSince(samples.get(id), state.usage, at) });
    }
    samples = next;
    readAt = at;
  };

  const refresh = async (signal: AbortSignal): Promise<void> => {
    if (now() - readAt < freshMs) return;
    reading ??= read(signal).finally(() => (reading = undefined));
    // Figures are an extra: a host process that does not answer is told elsewhere.
    await reading.catch((error: unknown) => log.debug({ err: error }, "the figures of boxes were not read"));
  };

  const diskOf = async (id: WorkspaceId, signal: AbortSignal): Promise<void> => {
    const known = disks.get(id);
    if (known && now() - known.at < diskFreshMs) return;
    try {
      const { bytes } = await volumes.usage(id, signal);
      disks.set(id, { at: now(), bytes });
    } catch (error) {
      log.debug({ err: error, workspace: id }, "the disk of a workspace was not read");
    }
  };

  const view = (id: WorkspaceId): Usage | null => {
    const sample = samples.get(id);
    const diskBytes = disks.get(id)?.bytes ?? null;
    if (!sample && diskBytes === null) return null;
    return {
      memoryBytes: sample?.usage.memoryBytes ?? null,
      cpuPercent: sample?.cpuPercent ?? null,
      processes: sample?.usage.processes ?? null,
      diskBytes,
      networkInBytes: sample?.usage.networkInBytes ?? null,
      networkOutBytes: sample?.usage.networkOutBytes ?? null,
      at: new Date(sample?.at ?? now()).toISOString(),
    };
  };

  return {
    async all(signal) {
      await refresh(signal);
      return view;
    },
    async of(id, signal) {
      await Promise.all([refresh(signal), diskOf(id, signal)]);
      return view(id);
    },
  };
}

/** Per cent of one processor between two samples; null for the first, and when the box was started anew between them. */
function cpuSince(before: Sample | undefined, usage: BoxUsage, at: number): number | null {
  const earlier = before?.usage.cpuMicros ?? null;
  if (before === undefined || earlier === null || usage.cpuMicros === null) return null;
  const micros = usage.cpuMicros - earlier;
  if (micros < 0 || at <= before.at) return null;
  return Math.round((micros / ((at - before.at) * 1_000)) * 1_000) / 10;
}
