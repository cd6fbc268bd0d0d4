import type { BoxHappening } from "@alcove/contract/host";
import { pause } from "../events/wake.ts";
import type { Log } from "../log/log.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { WorkspaceEvents } from "./workspace-events.ts";

const pauseMs = 1_000;

/**
 * Until the signal aborts: stores what the runtime sees happen to boxes, and gives deaths to `onDeath`. Of several replicas only the one that `leads` does, or
 * each thing would be told twice.
 */
export async function followHappenings({
  runtime,
  events,
  onDeath,
  leads,
  log,
  signal,
}: {
  runtime: Runtime;
  events: WorkspaceEvents;
  onDeath: (happening: BoxHappening & { kind: "box.died" }) => Promise<void>;
  leads: () => Promise<boolean>;
  log: Log;
  signal: AbortSignal;
}): Promise<void> {
  // What happened before this process is known to whoever was there.
  let cursor = Date.now() * 1_000;
  while (!signal.aborted) {
    try {
      for await (const happening of runtime.happenings(cursor, signal)) {
        cursor = happening.cursor;
        if (!(await leads())) continue;
        if (happening.kind === "box.died") await onDeath(happening);
        else await events.append(happening.workspace, happening);
      }
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error }, "what happens to boxes is not heard for now");
    }
    await pause(pauseMs, signal);
  }
}
