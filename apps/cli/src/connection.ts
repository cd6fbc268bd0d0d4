import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CodedError } from "@alcove/contract/errors";
import { z } from "zod";

/** The server that the commands talk to, and as whom. */
export type Connection = { address: string; key: string | undefined; source: "environment" | "login" | "this machine" };

const loginSchema = z.object({ address: z.string(), key: z.string() });
const startedSchema = z.object({ address: z.string().nullable() });

type Environment = Record<string, string | undefined>;

/**
 * Finds the server: ALCOVE_URL and ALCOVE_KEY, else what `alcove login` stored, else the server of this machine with the secret in its data
 * directory. Gives `not_signed_in` when that secret is not for this user.
 */
export async function findConnection(env: Environment): Promise<Connection> {
  if (env["ALCOVE_URL"]) return { address: env["ALCOVE_URL"], key: env["ALCOVE_KEY"], source: "environment" };
  const stored = await readJson(loginFile(env), loginSchema);
  if (stored) return { ...stored, source: "login" };
  const data = dataDirectory(env);
  const address = (await readJson(join(data, "run", "start.json"), startedSchema))?.address;
  return {
    address: address ?? `http://127.0.0.1:${env["ALCOVE_PORT"] || 7700}`,
    key: env["ALCOVE_KEY"] ?? (await readLocalSecret(data)),
    source: "this machine",
  };
}

/** The data directory of a server of this machine: the own one, else the one of root where there is one. */
export function dataDirectory(env: Environment): string {
  if (env["ALCOVE_DATA"]) return env["ALCOVE_DATA"];
  return process.getuid?.() === 0 ? "/var/lib/alcove" : join(homedir(), ".alcove");
}

async function readLocalSecret(data: string): Promise<string | undefined> {
  try {
    return (await readFile(join(data, "secrets", "cli.secret"), "utf8")).trim();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EACCES")) return undefined;
    throw new CodedError("not_signed_in", `The secret in ${data} belongs to another user.`, {
      hint: "Run the command as the user who runs Alcove, or `alcove login` with an API key.",
    });
  }
}

async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S> | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new CodedError("bad_request", `${path} cannot be understood.`, {
      hint: `Delete ${path} and run \`alcove login\` again.`,
      cause: error,
    });
  }
}

function loginFile(env: Environment): string {
  return join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "alcove", "config.json");
}

/** Keeps address and key for later commands, readable by this user alone; gives the file's path. */
export async function storeLogin(login: z.infer<typeof loginSchema>, env: Environment): Promise<string> {
  const path = loginFile(env);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
  return path;
}
