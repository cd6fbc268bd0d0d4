import { setTimeout as sleep } from "node:timers/promises";
import { limitLog } from "./boxes/box-log.ts";
import type { Boxes } from "./boxes/boxes.ts";
import type { KeyedQueue } from "@alcove/base/keyed-queue";
import { createReaper } from "./kernel/orphans.ts";
import { logLine } from "./log.ts";
import { boxPaths, type Site } from "./site.ts";

const pauseMs = 1_000;

/** Once a second until the signal aborts: clears what a box that ended by itself has left, and keeps logs short. */
export async function watchBoxes({
  site,
  boxes,
  queue,
  signal,
}: {
  site: Site;
  boxes: Boxes;
  queue: KeyedQueue;
  signal: AbortSignal;
}): Promise<void> {
  const reap = createReaper();
  while (!signal.aborted) {
    reap();
    for (const id of await boxes.ids()) {
      try {
        await limitLog(boxPaths(site, id).log);
        if (await boxes.hasEnded(id)) await queue.run(id, () => boxes.tidy(id), signal);
      } catch (error) {
        if (!signal.aborted) logLine("warn", "a box could not be looked after", { workspace: id, error });
      }
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
