import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CodedError } from "../../packages/contract/src/errors.ts";

export type Settings = { data: string; host: string; port: number; root: boolean; externalDatabase: boolean };

/** What the start itself has to know; the control plane reads all other settings from the environment. Gives `bad_request`. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const root = process.getuid?.() === 0;
  const port = Number(env["ALCOVE_PORT"] || 7700);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CodedError("bad_request", `ALCOVE_PORT is "${env["ALCOVE_PORT"]}", which is not a port.`, {
      hint: "Use a number from 1 to 65535.",
    });
  return {
    data: resolve(env["ALCOVE_DATA"] || usualDataDirectory(root)),
    host: env["ALCOVE_HOST"] || "127.0.0.1",
    port,
    root,
    externalDatabase: Boolean(env["DATABASE_URL"]),
  };
}

/** Where the data lies unless ALCOVE_DATA says otherwise. */
export const usualDataDirectory = (root: boolean) => (root ? "/var/lib/alcove" : join(homedir(), ".alcove"));
