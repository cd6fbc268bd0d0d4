import { commandEnvironment } from "../system/command-environment.ts";
import type { Environment } from "../system/environment.ts";
import type { Tmux } from "./find-tmux.ts";
import { createPtyTerminals } from "./pty.ts";
import type { Terminals } from "./terminal.ts";
import { createTmuxTerminals } from "./tmux.ts";

/** Terminals that outlive the daemon where there is tmux, else terminals that do not. */
export function createTerminals(options: { environment: Environment; tmux: Tmux | null }): Terminals {
  const { environment, tmux } = options;
  const env = commandEnvironment(environment);
  return tmux === null
    ? createPtyTerminals(env)
    : createTmuxTerminals({ program: tmux.program, runtime: environment.runtime, env: { ...env, ...tmux.env } });
}
