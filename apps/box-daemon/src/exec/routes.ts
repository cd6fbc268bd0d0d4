import type { InFlight } from "../activity/activity.ts";
import { readFields } from "../http/body.ts";
import { linesResponse } from "../http/lines.ts";
import type { Route } from "../http/router.ts";
import { workingDirectory } from "../files/working-directory.ts";
import { commandEnvironment } from "../system/command-environment.ts";
import type { Environment } from "../system/environment.ts";
import { startCommand, streamCommand } from "./exec.ts";
import { parseExecRequest } from "./exec-request.ts";

export function execRoutes(environment: Environment, inFlight: InFlight): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/exec",
      async handle({ request }) {
        const exec = parseExecRequest(await readFields(request));
        const child = startCommand(exec, {
          directory: workingDirectory(environment, exec.directory),
          env: commandEnvironment(environment),
        });
        void child.exited.then(
          inFlight.hold({ kind: "command", what: (exec.command[0] ?? "").split("/").at(-1)?.slice(0, 100) ?? "" }),
        );
        return linesResponse((signal) => streamCommand(child, exec, signal));
      },
    },
  ];
}
