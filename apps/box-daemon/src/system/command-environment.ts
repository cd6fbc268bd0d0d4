import { hostname } from "node:os";
import type { Environment } from "./environment.ts";

/** The environment of commands, terminals and agents in the box: the image's own, with the user's home. */
export function commandEnvironment(environment: Environment): Record<string, string | undefined> {
  return {
    LANG: "C.UTF-8",
    SHELL: "/bin/bash",
    ...process.env,
    HOME: environment.home,
    // Where pip and others put programs for one user.
    PATH: `${environment.home}/.local/bin:${process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"}`,
    // A box that was made ahead gets its name later, and any box another one.
    ALCOVE_WORKSPACE_NAME: hostname(),
  };
}
