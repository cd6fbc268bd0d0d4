import type { AgentLaunch, RunSpec } from "@alcove/contract/box/run";
import { CodedError } from "@alcove/contract/errors";
import { isId } from "@alcove/contract/ids";
import { isRecord, optionalText, textField, textList, textMap, type Fields } from "../http/body.ts";

const pathLimit = 4096;

/** The body of `PUT /v1/runs/:run`; accepts what the contract's `runSpecSchema` accepts. Gives `bad_request`. */
export function parseRunSpec(fields: Fields): RunSpec {
  const run = textField(fields, "run");
  const session = textField(fields, "session");
  if (!isId("run", run)) throw new CodedError("bad_request", `"${run}" is not a run id`);
  if (!isId("session", session)) throw new CodedError("bad_request", `"${session}" is not a session id`);
  const mode = textField(fields, "mode");
  if (mode !== "process" && mode !== "ask" && mode !== "plan")
    throw new CodedError("bad_request", `"${mode}" is not a mode`);
  return {
    run,
    session,
    agent: parseAgent(record(fields, "agent")),
    directory: textField(fields, "directory", { max: pathLimit }),
    prompt: textField(fields, "prompt", { min: 1 }),
    mode,
    model: fields["model"] === null ? null : textField(fields, "model", { max: 200 }),
  };
}

function parseAgent(fields: Fields): AgentLaunch {
  const modes = record(fields, "modes");
  return {
    name: textField(fields, "name", { min: 1, max: 64 }),
    command: textList(fields, "command", { min: 1 }),
    env: textMap(fields, "env"),
    configDirectory: textField(fields, "configDirectory", { max: pathLimit }),
    configFiles: fields["configFiles"] === undefined ? undefined : parseConfigFiles(fields["configFiles"]),
    modes: {
      process: optionalText(modes, "process"),
      ask: optionalText(modes, "ask"),
      plan: optionalText(modes, "plan"),
    },
  };
}

function parseConfigFiles(value: unknown): { path: string; content: string }[] {
  if (!Array.isArray(value)) throw new CodedError("bad_request", '"configFiles" is not a list');
  return value.map((item: unknown) => {
    if (!isRecord(item)) throw new CodedError("bad_request", '"configFiles" is not a list of objects');
    return { path: textField(item, "path", { max: pathLimit }), content: textField(item, "content") };
  });
}

function record(fields: Fields, name: string): Fields {
  const value = fields[name];
  if (!isRecord(value)) throw new CodedError("bad_request", `"${name}" is not an object`);
  return value;
}
