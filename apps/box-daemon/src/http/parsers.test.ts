import { createTerminalSchema, execRequestSchema } from "@alcove/contract/api/workspace";
import { runSpecSchema } from "@alcove/contract/box/run";
import { CodedError } from "@alcove/contract/errors";
import { newId } from "@alcove/contract/ids";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { parseExecRequest } from "../exec/exec-request.ts";
import { parseRunSpec } from "../runs/run-spec.ts";
import { parseNewTerminal } from "../terminals/new-terminal.ts";
import type { Fields } from "./body.ts";

const run = {
  run: newId("run"),
  session: newId("session"),
  agent: {
    name: "codex",
    command: ["codex"],
    env: { A: "b" },
    configDirectory: "system/state/agents/codex",
    modes: { ask: "read-only" },
  },
  directory: "user/projects",
  prompt: "hello",
  mode: "ask",
  model: null,
};

/** The daemon loads no schemas: its own parsers must accept and refuse what the contract does. */
const cases: {
  name: string;
  schema: z.ZodType;
  parse: (fields: Fields) => unknown;
  base: Fields;
  changes: Fields[];
}[] = [
  {
    name: "a run",
    schema: runSpecSchema,
    parse: parseRunSpec,
    base: run,
    changes: [
      { run: "run_x" },
      { session: 1 },
      { prompt: "" },
      { mode: "fast" },
      { model: "m" },
      { model: 3 },
      { directory: "a".repeat(5000) },
      { agent: { ...run.agent, command: [] } },
      { agent: { ...run.agent, env: { A: 1 } } },
      { agent: { ...run.agent, name: "" } },
      { agent: { ...run.agent, modes: { plan: 1 } } },
      { agent: { ...run.agent, configFiles: [{ path: "a", content: "b" }] } },
      { agent: { ...run.agent, configFiles: [{ path: "a" }] } },
      { agent: null },
    ],
  },
  {
    name: "a command",
    schema: execRequestSchema,
    parse: parseExecRequest,
    base: { command: ["ls"] },
    changes: [
      { command: [] },
      { command: ["a", 1] },
      { command: ["x".repeat(131_073)] },
      { directory: "user" },
      { directory: 1 },
      { env: { A: "b" } },
      { env: { A: 1 } },
      { stdin: "text" },
      { stdin: null },
      { stdin: "AAE=", stdinEncoding: "base64" },
      { stdin: "AAE=", stdinEncoding: "hex" },
      { timeoutMs: 1 },
      { timeoutMs: 0 },
      { timeoutMs: 1.5 },
    ],
  },
  {
    name: "a terminal",
    schema: createTerminalSchema,
    parse: (fields) => parseNewTerminal(fields, () => "/"),
    base: {},
    changes: [
      { name: "a" },
      { name: "a".repeat(81) },
      { cols: 2 },
      { cols: 1 },
      { rows: 1001 },
      { rows: "24" },
      { directory: "user" },
      { directory: 1 },
    ],
  },
];

describe.each(cases)("the parser of $name accepts what the schema accepts", ({ schema, parse, base, changes }) => {
  test.each([{}, ...changes].map((change) => [change]))("with %.60j", (change) => {
    const fields = { ...base, ...change };
    expect(refusal(() => parse(fields))).toBe(schema.safeParse(fields).success ? null : "bad_request");
  });
});

function refusal(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof CodedError ? error.code : String(error);
  }
}
