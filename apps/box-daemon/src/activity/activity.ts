import type { BoxActivity } from "@alcove/contract/box/activity";
import type { Route } from "../http/router.ts";
import type { Schedule } from "../cron/schedule.ts";
import type { Terminals } from "../terminals/terminal.ts";
import { busiestProgram, readProcessorTimes, type ProcessorTimes } from "./processor-use.ts";

type Work = BoxActivity["busy"][number];

/** What is in flight as long as somebody holds it: a command that is waited for, a connection to a port. */
export interface InFlight {
  hold(work: Work): () => void;
  list(): Work[];
}

export function createInFlight(): InFlight {
  const held = new Set<Work>();
  return {
    hold(work) {
      // Two connections to one port are two.
      const own = { ...work };
      held.add(own);
      return () => held.delete(own);
    },
    list: () => [...held],
  };
}

/** Says what is at work since it was asked last; the first answer knows only what is in flight. */
export function activityRoutes({
  inFlight,
  terminals,
  schedule,
}: {
  inFlight: InFlight;
  terminals: Terminals;
  schedule: Schedule;
}): Route[] {
  let before: { at: number; times: ProcessorTimes; written: number } | null = null;
  const own = new Set([process.pid, 1]);

  const look = async (): Promise<BoxActivity> => {
    const due = await schedule.nextDue();
    const now = { at: performance.now(), times: readProcessorTimes(own), written: terminals.written() };
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
