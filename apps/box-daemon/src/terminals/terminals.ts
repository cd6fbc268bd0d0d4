import { commandEnvironment } from "../system/command-environment.ts";
import type { Environment } from "../system/environment.ts";
import { createPtyTerminals } from "./pty.ts";
import type { Terminals } from "./terminal.ts";
import { createTmuxTerminals } from "./tmux.ts";

/** Path of tmux in the box; null when it is not there. */
export function findTmux(): string | null {
  return Bun.which("tmux");
}

/** Terminals that outlive the daemon where there is tmux, else terminals that do not. */
export function createTerminals(options: { environment: Environment; tmux: string | null }): Terminals {
  const env = commandEnvironment(options.environment);
  return options.tmux === null
    ? createPtyTerminals(env)
    : createTmuxTerminals({ program: options.tmux, runtime: options.environment.runtime, env });
}
