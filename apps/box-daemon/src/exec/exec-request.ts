import type { ExecRequest } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { integerField, optionalText, textList, textMap, type Fields } from "../http/body.ts";

/** The body of `POST /v1/exec`; accepts what the contract's `execRequestSchema` accepts. Gives `bad_request`. */
export function parseExecRequest(fields: Fields): ExecRequest {
  const command = textList(fields, "command", { min: 1, max: 4_096, maxLength: 131_072 });
  if (command.some((word) => word.includes("\0")))
    throw new CodedError("bad_request", '"command" holds a NUL character');
  const env = fields["env"] === undefined ? undefined : textMap(fields, "env");
  if (Object.entries(env ?? {}).some((pair) => pair.join("").includes("\0")))
    throw new CodedError("bad_request", '"env" holds a NUL character');
  const stdinEncoding = optionalText(fields, "stdinEncoding");
  if (stdinEncoding !== undefined && stdinEncoding !== "base64")
    throw new CodedError("bad_request", '"stdinEncoding" is neither left out nor "base64"');
  return {
    command,
    directory: optionalText(fields, "directory"),
    env,
    stdin: optionalText(fields, "stdin"),
    stdinEncoding,
    timeoutMs:
      fields["timeoutMs"] === undefined ? undefined : integerField(fields, "timeoutMs", { min: 1, max: 86_400_000 }),
  };
}
