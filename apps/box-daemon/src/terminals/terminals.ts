import { existsSync } from "node:fs";
import { commandEnvironment } from "../system/command-environment.ts";
import type { Environment } from "../system/environment.ts";
import { createPtyTerminals } from "./pty.ts";
import type { Terminals } from "./terminal.ts";
import { createTmuxTerminals } from "./tmux.ts";

/** The runtime's own tmux with its loader and libraries, for images that have none (ld.so(8)). */
const brought = "/run/alcove";

export type Tmux = { program: readonly string[]; env: Readonly<Record<string, string>> };

/** What starts tmux in the box: the image's, or the one that the runtime brings; null when there is neither. */
export function findTmux(): Tmux | null {
  const own = Bun.which("tmux");
  if (own !== null) return { program: [own], env: {} };
  const program = `${brought}/bin/tmux`;
  if (!existsSync(program)) return null;
  return {
    program: [`${brought}/ld.so`, "--library-path", `${brought}/lib`, program],
    env: {
      LOCPATH: `${brought}/locale`,
      TERMINFO_DIRS: `/etc/terminfo:/lib/terminfo:/usr/share/terminfo:${brought}/terminfo`,
    },
  };
}

/** Terminals that outlive the daemon where there is tmux, else terminals that do not. */
export function createTerminals(options: { environment: Environment; tmux: Tmux | null }): Terminals {
  const { environment, tmux } = options;
  const env = commandEnvironment(environment);
  return tmux === null
    ? createPtyTerminals(env)
    : createTmuxTerminals({ program: tmux.program, runtime: environment.runtime, env: { ...env, ...tmux.env } });
}
