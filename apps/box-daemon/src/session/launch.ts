import type { RunSpec } from "@alcove/contract/box/run";
import type { Environment } from "../system/environment.ts";

/** What `serve` writes to the standard input of a session process. The run's lock is its descriptor 3. */
export interface SessionLaunch {
  readonly spec: RunSpec;
  readonly environment: Environment;
}

/** Variable in the environment of everything that an agent starts: its leftovers are found by it. */
export const runMark = "ALCOVE_RUN";
