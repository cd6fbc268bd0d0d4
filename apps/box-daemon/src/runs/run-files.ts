import { join } from "node:path";
import type { Environment } from "../system/environment.ts";

/** Where a run keeps what it needs. */
export interface RunFiles {
  readonly folder: string;
  readonly journal: string;
  /** Locked by the session process for as long as it lives, and removed once the journal has its end. */
  readonly lock: string;
  readonly socket: string;
}

export function runFiles(environment: Environment, run: string): RunFiles {
  const folder = join(environment.state, "runs", run);
  return {
    folder,
    journal: join(folder, "journal.ndjson"),
    lock: join(folder, "lock"),
    socket: join(environment.runtime, `${run}.sock`),
  };
}
