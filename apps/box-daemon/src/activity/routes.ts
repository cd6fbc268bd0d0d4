import type { BoxActivity } from "@alcove/contract/box/activity";
import type { Schedule } from "../cron/schedule.ts";
import type { Route } from "../http/router.ts";
import type { InFlight } from "./activity.ts";
import { busiestProgram, readProcessorTimes, type ProcessorTimes } from "./processor-use.ts";

/** Says what is at work since it was asked last; the first answer knows only what is in flight. */
export function activityRoutes({
  inFlight,
  schedule,
  written,
}: {
  inFlight: InFlight;
  schedule: Schedule;
  /** Bytes of output of all terminals. */
  written: () => number;
}): Route[] {
  let before: { at: number; times: ProcessorTimes; written: number } | null = null;
  const own = new Set([process.pid, 1]);

  const look = async (): Promise<BoxActivity> => {
    const due = await schedule.nextDue();
    const now = { at: performance.now(), times: readProcessorTimes(own), written: written() };
    const busy = inFlight.list();
    if (before !== null) {
      const program = busiestProgram(before.times, now.times, now.at - before.at);
      if (program !== null) busy.push({ kind: "process", what: program });
      if (now.written !== before.written) busy.push({ kind: "terminal", what: "output in a terminal" });
    }
    before = now;
    return { busy: busy.slice(0, 20), nextDueAt: due?.toISOString() ?? null };
  };

  return [{ method: "GET", path: "/v1/activity", handle: async () => Response.json(await look()) }];
}
