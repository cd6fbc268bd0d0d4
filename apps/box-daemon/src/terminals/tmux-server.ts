import { existsSync, writeFileSync } from "node:fs";
import { describe, log } from "../system/log.ts";
import { commandEnvironment } from "../system/command-environment.ts";
import type { Environment } from "../system/environment.ts";
import type { Tmux } from "./find-tmux.ts";

/** A tmux server of our own, which holds the terminals of the box and lives on without the daemon. */
export interface TmuxServer {
  /** What starts a client of it. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Starts it where terminals have been used before: it takes longer to begin than the daemon itself. */
  startAhead(): void;
  /** Notes that terminals are used here, for the next start of the box. */
  noteUse(): void;
}

/** It stays while it has no session yet; with its first one it becomes one that ends with its last. */
export const endWithLastSession = ["set-option", "-s", "exit-empty", "on"];

const settings = `set -s exit-empty off
set -g default-terminal xterm-256color
set -g status off
set -g history-limit 5000
set -g remain-on-exit on
set -s escape-time 0
set -g prefix None
set -g prefix2 None
set -g allow-rename off
`;

/** Folder of what terminals leave for the daemon. */
export const terminalsFolder = ({ runtime }: Environment) => `${runtime}/terminals`;

export function prepareTmuxServer(environment: Environment, tmux: Tmux): TmuxServer {
  const config = `${environment.runtime}/tmux.conf`;
  // The hook runs when the program of a pane has ended; tmux fills the formats in.
  const onPaneDied = `echo code=#{pane_dead_status} #{pane_dead_signal} > ${terminalsFolder(environment)}/#{@alcove}/exit`;
  writeFileSync(config, `${settings}set-hook -g pane-died "run-shell '${onPaneDied}'"\n`, { mode: 0o600 });
  const words = [...tmux.program, "-L", "alcove", "-f", config];
  // A box that was made ahead gets its name after the daemon has started.
  const currentEnv = () => ({
    ...commandEnvironment(environment),
    ...tmux.env,
    COLORTERM: "truecolor",
    TMUX_TMPDIR: environment.runtime,
    TMUX: undefined,
  });
  const used = `${environment.state}/terminals-used`;
  return {
    words,
    get env() {
      return currentEnv();
    },
    startAhead() {
      if (existsSync(used))
        Bun.spawn([...words, "start-server"], { env: currentEnv(), stdio: ["ignore", "ignore", "ignore"], cwd: "/" });
    },
    noteUse() {
      try {
        if (!existsSync(used)) writeFileSync(used, "");
      } catch (error) {
        // Whoever makes room on a full disk needs the terminal first.
        log("warn", "The use of terminals was not noted", { error: describe(error) });
      }
    },
  };
}
