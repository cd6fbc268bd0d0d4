import { integerField, optionalText, type Fields } from "../http/body.ts";
import type { NewTerminal } from "./terminal.ts";

/** The body of `POST /v1/terminals`; accepts what the contract's `createTerminalSchema` accepts. Gives `bad_request`. */
export function parseNewTerminal(fields: Fields, resolve: (directory: string | undefined) => string): NewTerminal {
  const size = (name: string, otherwise: number) =>
    fields[name] === undefined ? otherwise : integerField(fields, name, { min: 2, max: 1_000 });
  return {
    name: optionalText(fields, "name", { max: 80 }) ?? "Terminal",
    cols: size("cols", 80),
    rows: size("rows", 24),
    directory: resolve(optionalText(fields, "directory")),
  };
}
