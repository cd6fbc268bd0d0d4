import { spawn } from "node:child_process";
import { chown, open, readFile, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CodedError } from "@alcove/contract/errors";
import { errno, lastLines } from "./cluster.ts";
import { type Owner, programEnvironment } from "./command.ts";
import { findPostmaster, isRunning, type Postmaster, removeStrangersLock } from "./postmaster.ts";
import { serverArguments } from "./settings.ts";

export type ServerOptions = {
  dataDirectory: string;
  socketDirectory: string;
  logFile: string;
  binaries: string;
  owner: Owner | undefined;
  signal: AbortSignal;
};

const pollMs = 10;
/** Recovery after a crash replays at most `max_wal_size`, which takes seconds; past this the server is taken for stuck. */
const readyWithinMs = 120_000;
const attempts = 6;
const largestLogBytes = 1_000_000;

/**
 * Gives the server that runs on the data directory, starting one unless it does. It leads a session of its own: a kill or a Ctrl-C of this
 * process does not reach it. Gives `database_unreachable` with the last lines of its log.
 */
export async function ensureServer(options: ServerOptions): Promise<{ postmaster: Postmaster; adopted: boolean }> {
  const running = await findPostmaster(options.dataDirectory);
  if (running) return { postmaster: await waitUntilReady(running.pid, options), adopted: true };
  for (let attempt = 1; ; attempt++) {
    await removeStrangersLock(options.dataDirectory);
    const postmaster = await launch(options);
    if (postmaster) return { postmaster, adopted: false };
    // Somebody else may have won the race, or processes of a killed server may hold its shared memory for a moment longer.
    const other = await findPostmaster(options.dataDirectory);
    if (other) return { postmaster: await waitUntilReady(other.pid, options), adopted: true };
    if (attempt === attempts) throw await unreachable(options);
    await delay(50 * 2 ** (attempt - 1), undefined, { signal: options.signal });
  }
}

/** Starts a server and waits until it takes connections; null when it ended before that. */
async function launch(options: ServerOptions): Promise<Postmaster | null> {
  options.signal.throwIfAborted();
  await using log = await openLog(options);
  const program = join(options.binaries, "bin", "postgres");
  const child = spawn(program, serverArguments(options.dataDirectory, options.socketDirectory), {
    ...options.owner,
    detached: true,
    cwd: "/",
    env: programEnvironment(),
    stdio: ["ignore", log.fd, log.fd],
  });
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  child.unref();
  if (child.pid === undefined) throw new Error("A spawned process has no id");
  try {
    return await waitUntilReady(child.pid, options);
  } catch (error) {
    if (await isRunning(child.pid)) await stopServer(child.pid);
    else if (error instanceof CodedError) return null;
    throw error;
  }
}

async function waitUntilReady(pid: number, options: ServerOptions): Promise<Postmaster> {
  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline) {
    const found = await findPostmaster(options.dataDirectory);
    if (found?.pid === pid && found.ready) return found;
    if (!(await isRunning(pid))) break;
    await delay(pollMs, undefined, { signal: options.signal });
  }
  throw await unreachable(options);
}

async function openLog({ logFile, owner }: ServerOptions) {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > largestLogBytes) await rename(logFile, `${logFile}.1`);
  const handle = await open(logFile, "a", 0o600);
  if (owner) await chown(logFile, owner.uid, owner.gid);
  return handle;
}

async function unreachable({ dataDirectory, logFile }: ServerOptions): Promise<CodedError> {
  const log = await readFile(logFile, "utf8").catch(() => "");
  return new CodedError(
    "database_unreachable",
    `Cannot start PostgreSQL in ${dirname(dataDirectory)}: ${lastLines(log)}`,
    {
      hint: `Read ${logFile}.`,
    },
  );
}

/** Resolves when the process is gone. It may be no child of ours, so nobody would tell us. */
export async function waitForEnd(
  pid: number,
  { everyMs, signal }: { everyMs: number; signal?: AbortSignal },
): Promise<void> {
  while (await isRunning(pid)) await delay(everyMs, undefined, { signal });
}

/** Ends the server: first as PostgreSQL's "fast" shutdown (no work is lost), then "immediate" (recovers at the next start), then by force. */
export async function stopServer(pid: number): Promise<void> {
  const steps = [
    { signal: "SIGINT", graceMs: 20_000 },
    { signal: "SIGQUIT", graceMs: 5_000 },
    { signal: "SIGKILL", graceMs: 5_000 },
  ] as const;
  for (const step of steps) {
    if (!sendSignal(pid, step.signal)) return;
    const ended = await waitForEnd(pid, { everyMs: pollMs, signal: AbortSignal.timeout(step.graceMs) }).then(
      () => true,
      () => false,
    );
    if (ended) return;
  }
}

/** False when there is no such process any more. */
function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (errno(error) === "ESRCH") return false;
    throw error;
  }
}
