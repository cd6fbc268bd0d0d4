import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, DatabaseError } from "pg";
import { installPostgresBinaries, locatePostgresPackage } from "./binaries.ts";
import { asDiskError, prepareCluster, superuser } from "./cluster.ts";
import type { Owner } from "./command.ts";
import { ensureServer, type ServerOptions, stopServer, waitForEnd } from "./server.ts";
import { findPostmaster } from "./postmaster.ts";
import { preparePrivateFolder, prepareSocketDirectory, socketPort } from "./private-folder.ts";

export type LocalPostgres = AsyncDisposable & {
  /** Connection string for the database. */
  url(database: string): string;
  /** Makes the database unless it is there. */
  createDatabase(name: string): Promise<void>;
  readonly pid: number;
  /** True when the server was already running. */
  readonly adopted: boolean;
  /** Ends the server; what was committed is kept. */
  stop(): Promise<void>;
};

export type LocalPostgresOptions = {
  /** The server's folder, for its cluster, log and binaries; made when missing. */
  dataDirectory: string;
  /** Folder of sockets; the server's own is in its subfolder `postgres`, which is private to the server's user. */
  runDirectory: string;
  /** Folder with PostgreSQL's bin, lib and share; by default a copy of the npm package's. */
  binaries?: string;
  /** The user to run as; needed when this process is root. */
  owner?: Owner;
  signal?: AbortSignal;
  log?: (message: string, fields: Record<string, unknown>) => void;
};

const restartAfterMs = 200;

/**
 * Starts PostgreSQL for this data directory, or adopts the server that still runs on it, and starts it again whenever it dies. It listens on a
 * unix socket only and outlives this process unless it is stopped. Gives `data_not_writable`, `host_full`, `database_newer`, `database_older`,
 * `database_unreachable`.
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const { owner, log } = options;
  const ending = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal;
  await preparePrivateFolder(options.dataDirectory, owner);
  const binaries = options.binaries ?? (await ownBinaries(options.dataDirectory));
  const dataDirectory = clusterOf(options.dataDirectory);
  const { password, created } = await prepareCluster({ dataDirectory, binaries, owner, signal });
  const preferred = await prepareSocketDirectory(join(options.runDirectory, "postgres"), owner);
  const logFile = join(options.dataDirectory, "server.log");
  const server: ServerOptions = { dataDirectory, socketDirectory: preferred, logFile, binaries, owner, signal };
  const first = await ensureServer(server);
  const { adopted } = first;
  let { pid } = first.postmaster;
  // An adopted server listens where it was started; it is not moved.
  const socketDirectory = first.postmaster.socketDirectory;
  server.socketDirectory = socketDirectory;
  log?.("postgres.started", { pid, adopted, created });

  async function superviseUntilStopped(): Promise<void> {
    while (!ending.signal.aborted) {
      await waitForEnd(pid, { everyMs: restartAfterMs, signal: ending.signal });
      log?.("postgres.died", { pid });
      try {
        pid = (await ensureServer({ ...server, signal: ending.signal })).postmaster.pid;
        log?.("postgres.restarted", { pid });
      } catch (error) {
        if (ending.signal.aborted) return;
        log?.("postgres.restart_failed", { error });
        await delay(restartAfterMs * 10, undefined, { signal: ending.signal });
      }
    }
  }
  const supervision = superviseUntilStopped().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });

  const url = (database: string) =>
    `postgresql://${superuser}:${password}@localhost:${socketPort}/${encodeURIComponent(database)}?host=${encodeURIComponent(socketDirectory)}`;

  async function stop(): Promise<void> {
    ending.abort();
    await supervision;
    await stopServer(pid);
  }

  return {
    url,
    createDatabase: (name) => createDatabase(url("postgres"), name),
    get pid() {
      return pid;
    },
    adopted,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Ends the server of the data directory, if one runs; for whoever finds that the process which should have done it is gone. */
export async function stopLocalPostgres(dataDirectory: string): Promise<void> {
  const running = await findPostmaster(clusterOf(dataDirectory));
  if (running) await stopServer(running.pid);
}

const clusterOf = (dataDirectory: string) => join(dataDirectory, "cluster");

async function ownBinaries(folder: string): Promise<string> {
  const { native, version } = await locatePostgresPackage();
  const target = join(folder, `postgres-${version}`);
  try {
    await installPostgresBinaries(native, target);
  } catch (error) {
    throw asDiskError(error, folder);
  }
  return target;
}

async function createDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } catch (error) {
    const madeMeanwhile = error instanceof DatabaseError && (error.code === "42P04" || error.code === "23505");
    if (!madeMeanwhile) throw error;
  } finally {
    await client.end();
  }
}
