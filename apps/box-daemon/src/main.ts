import { serve } from "./compose.ts";
import { hearOfBox } from "./init/hear.ts";
import { leaveLast } from "./init/leave.ts";
import { describe, log } from "./system/log.ts";
import { keepOwnEnvironment } from "./system/own-command.ts";

/** The one program in every box. `serve` answers the link, again after it has fallen; `await` first waits for a box's root; `session` drives an agent for one run. */
const [command, ...rest] = process.argv.slice(2);
keepOwnEnvironment();

// What `serve` needs is imported above and awaited nowhere here: it starts sooner than behind an `import()`.
switch (command) {
  case "serve":
    void startServing(rest.map(Number)).catch(fail);
    break;
  case "await":
    hearOfBox(rest[0] ?? "/");
    void startServing([]).catch(fail);
    break;
  case "session":
    void import("./session/session.ts").then(({ runSession }) => runSession()).catch(fail);
    break;
  default:
    console.error("Usage: alcove-daemon serve [FALLS STATUS] | await FOLDER | session");
    process.exitCode = 2;
}

async function startServing([falls, status]: readonly number[]): Promise<void> {
  const leaving = leaveLast();
  if (falls !== undefined && status !== undefined) {
    const { backOff } = await import("./init/back-off.ts");
    await backOff(falls, status);
  }
  if (!leaving.aborted) await serve(leaving);
}

function fail(error: unknown): void {
  log("error", `${command} failed`, { error: describe(error) });
  process.exit(1);
}
