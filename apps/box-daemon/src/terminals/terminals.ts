import { commandEnvironment } from "../system/command-environment.ts";
import type { Environment } from "../system/environment.ts";
import { createPtyTerminals } from "./pty.ts";
import type { Terminals } from "./terminal.ts";
import { createTmuxTerminals } from "./tmux.ts";
import { terminalsFolder, type TmuxServer } from "./tmux-server.ts";

/** Terminals that outlive the daemon where there is tmux, else terminals that do not. */
export function createTerminals(environment: Environment, server: TmuxServer | null): Terminals {
  return server === null
    ? createPtyTerminals(commandEnvironment(environment))
    : createTmuxTerminals(server, terminalsFolder(environment));
}
