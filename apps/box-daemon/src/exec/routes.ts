import { join } from "node:path";
import type { ExecRequest } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { optionalText, readFields, integerField, textList, textMap, type Fields } from "../http/body.ts";
import { linesResponse } from "../http/lines.ts";
import type { Route } from "../http/router.ts";
import { parsePath } from "../files/path.ts";
import { withResolved } from "../files/walk.ts";
import type { Environment } from "../system/environment.ts";
import { commandEnvironment } from "../system/command-environment.ts";
import { startCommand, streamCommand } from "./exec.ts";

export function execRoutes(environment: Environment): Route[] {
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
        return linesResponse((signal) => streamCommand(child, exec, signal));
      },
    },
  ];
}

/** The folder as an absolute path, checked to be one. Gives `path_outside`, `file_not_found`, `not_a_folder`. */
export function workingDirectory(environment: Environment, directory: string | undefined): string {
  const path = parsePath(directory ?? "user/projects");
  return withResolved(environment.root, path, "folder", () =>
    join(environment.root, path.map((name) => name.toString()).join("/")),
  );
}

/** The body of `POST /v1/exec`; accepts what the contract's `execRequestSchema` accepts. Gives `bad_request`. */
export function parseExecRequest(fields: Fields): ExecRequest {
  const command = textList(fields, "command", { min: 1, max: 4_096, maxLength: 131_072 });
  if (command.some((word) => word.includes("\0")))
    throw new CodedError("bad_request", '"command" holds a NUL character');
  return {
    command,
    directory: optionalText(fields, "directory"),
    env: fields["env"] === undefined ? undefined : textMap(fields, "env"),
    stdin: optionalText(fields, "stdin"),
    timeoutMs:
      fields["timeoutMs"] === undefined ? undefined : integerField(fields, "timeoutMs", { min: 1, max: 86_400_000 }),
  };
}
