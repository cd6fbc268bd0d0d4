import { keepOwnLibraries } from "./system/own-command.ts";

/** The one program in every box. `init` is pid 1, `serve` answers the link, `session` drives an agent for one run. */
const command = process.argv[2];
keepOwnLibraries();

switch (command) {
  case "init": {
    const { runInit } = await import("./init/init.ts");
    await runInit();
    break;
  }
  case "serve": {
    const { serve } = await import("./compose.ts");
    await serve();
    break;
  }
  case "session": {
    const { runSession } = await import("./session/session.ts");
    await runSession();
    break;
  }
  default:
    process.stderr.write("Usage: alcove-daemon init | serve | session\n");
    process.exitCode = 2;
}
