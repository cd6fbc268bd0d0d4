import { randomBytes } from "node:crypto";
import { chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CodedError } from "@alcove/contract/errors";
import { type Owner, runCommand } from "./command.ts";

export const superuser = "alcove";
const secretFile = "alcove.secret";

type Options = { dataDirectory: string; binaries: string; owner: Owner | undefined; signal: AbortSignal | undefined };

/**
 * Makes the database cluster unless it is there, and gives the superuser's password. A cluster is made beside its place and renamed into it, so
 * one that was killed half-way is never taken for a whole one. Gives `database_newer`, `database_older`, `data_not_writable`, `host_full`.
 */
export async function prepareCluster(options: Options): Promise<{ password: string; created: boolean }> {
  const version = await readIfPresent(join(options.dataDirectory, "PG_VERSION"));
  if (version !== null) await requireSameVersion(version.trim(), options);
  else await createCluster(options);
  return {
    password: (await readFile(join(options.dataDirectory, secretFile), "utf8")).trim(),
    created: version === null,
  };
}

async function requireSameVersion(found: string, { dataDirectory, binaries, signal }: Options): Promise<void> {
  const { output } = await runCommand(join(binaries, "bin", "postgres"), ["-V"], { owner: undefined, signal });
  const own = /(\d+)[.\w]*\s*$/.exec(output)?.[1];
  if (own === undefined) throw new Error(`The version of PostgreSQL cannot be read from "${output}"`);
  if (own === found) return;
  const detail = `Cannot start PostgreSQL ${own}: ${dataDirectory} was written by PostgreSQL ${found}.`;
  throw new CodedError(Number(found) > Number(own) ? "database_newer" : "database_older", detail);
}

async function createCluster({ dataDirectory, binaries, owner, signal }: Options): Promise<void> {
  await removeLeftovers(dataDirectory);
  const staging = `${stagingPrefix(dataDirectory)}${process.pid}`;
  try {
    await mkdir(staging, { recursive: true, mode: 0o700 });
    const passwordFile = join(staging, "password");
    const cluster = join(staging, "cluster");
    await writeFile(passwordFile, randomBytes(24).toString("base64url"), { mode: 0o600 });
    if (owner) await Promise.all([staging, passwordFile].map((path) => chown(path, owner.uid, owner.gid)));
    const args = ["-D", cluster, "-U", superuser, "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8"];
    const locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"];
    const { exitCode, output } = await runCommand(join(binaries, "bin", "initdb"), [...args, ...locale], {
      owner,
      signal,
    });
    if (exitCode !== 0)
      throw new CodedError(
        "database_unreachable",
        `Cannot create the database in ${dataDirectory}: ${lastLines(output)}`,
      );
    await rename(passwordFile, join(cluster, secretFile));
    await syncFolder(cluster);
    await renameUnlessThere(cluster, dataDirectory);
    await syncFolder(dirname(dataDirectory));
  } catch (error) {
    throw asDiskError(error, dataDirectory);
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // Another process was faster; its cluster is as good.
    if (errno(error) !== "ENOTEMPTY" && errno(error) !== "EEXIST") throw error;
  }
}

/** Half-made clusters of processes that are gone; an initdb that outlived its parent may still write there, which is why removal is retried. */
async function removeLeftovers(dataDirectory: string): Promise<void> {
  const folder = dirname(dataDirectory);
  const prefix = basename(stagingPrefix(dataDirectory));
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length)))) continue;
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

const stagingPrefix = (dataDirectory: string) => `${dataDirectory}-draft-`;

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errno(error) === "EPERM";
  }
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}

/** The error as `data_not_writable` or `host_full` where the file system says so. */
export function asDiskError(error: unknown, path: string): unknown {
  switch (errno(error)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EEXIST":
      return new CodedError(
        "data_not_writable",
        `Cannot write to ${path}: ${error instanceof Error ? error.message : ""}`,
        { cause: error },
      );
    case "ENOSPC":
    case "EDQUOT":
      return new CodedError("host_full", `Cannot write to ${path}: no space is left on the disk.`, { cause: error });
    default:
      return error;
  }
}

export function errno(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The text of a small file; null when it is not there. */
export async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errno(error) === "ENOENT") return null;
    throw asDiskError(error, path);
  }
}

export function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-3).join(" · ");
}
