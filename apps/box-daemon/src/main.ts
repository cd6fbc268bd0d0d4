import { serve } from "./compose.ts";
import { describe, log } from "./system/log.ts";
import { keepOwnLibraries } from "./system/own-command.ts";

/** The one program in every box. `init` is pid 1, `serve` answers the link, `session` drives an agent for one run. */
const command = process.argv[2];
keepOwnLibraries();

// What `serve` needs is imported above and awaited nowhere here: an `await` or `import()` at the top of the program costs each idle box 0.6 MiB.
switch (command) {
  case "init":
    void import("./init/init.ts").then(({ runInit }) => runInit(), fail);
    break;
  case "serve":
    void serve().catch(fail);
    break;
  case "session":
    void import("./session/session.ts").then(({ runSession }) => runSession()).catch(fail);
    break;
  default:
    console.error("Usage: alcove-daemon init | serve | session");
    process.exitCode = 2;
}

function fail(error: unknown): void {
  log("error", `${command} failed`, { error: describe(error) });
  process.exit(1);
}
