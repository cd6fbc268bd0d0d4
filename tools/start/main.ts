import { join } from "node:path";
import { stopLocalPostgres } from "../../apps/control-plane/src/database/local-postgres/local-postgres.ts";
import { CodedError } from "../../packages/contract/src/errors.ts";
import { abortable } from "../../packages/base/src/abortable.ts";
import { buildParts } from "../build/build.ts";
import { boxPackages, installCommand, installPackages, missingPackages } from "../debian-packages.ts";
import { abandonedProcesses } from "./abandoned.ts";
import { type Child, endProcess } from "./child.ts";
import { installCommandLine } from "./command-line.ts";
import { launchControlPlane, waitUntilReady } from "./control-plane.ts";
import { controlPlaneUser, prepareDataDirectory } from "./data-directory.ts";
import { launchHost, shutDownHost, waitForHost } from "./host.ts";
import { installVersion } from "./install.ts";
import { requireFreePort } from "./port.ts";
import { createProgress } from "./progress.ts";
import { readSettings, type Settings } from "./settings.ts";
import { takeStartLock } from "./start-lock.ts";
import { supervise } from "./supervise.ts";

const endingGraceMs = 30_000;
const progress = createProgress();
const ending = new AbortController();
const interrupted = new Error("interrupted");

// Other users run what is installed here; what they must not read says so itself.
process.umask(0o022);
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => ending.abort(interrupted));

async function start(): Promise<void> {
  const settings = readSettings(process.env);
  const { data } = settings;
  const owner = await controlPlaneUser();
  await prepareDataDirectory(data, owner);
  const taken = await takeStartLock(data);
  if ("holder" in taken) {
    const { address } = taken.holder;
    if (address === null) process.exitCode = 1;
    progress.say(
      address === null
        ? "Alcove is being started or stopped already: try again in a moment."
        : `Alcove runs already at ${address} (\`alcove link\` prints a sign-in link).`,
    );
    return;
  }
  await using lock = taken.lock;
  await endAbandoned(settings);
  await requireFreePort(settings.host, settings.port);
  await ensureHostPackages(settings);
  const changed: string[] = [];
  const built = await progress.step("build", () => buildParts((name) => changed.push(name)));
  const version = await progress.step("install", () => installVersion(data, built));
  const command = await installCommandLine(data, settings.root);
  if (ending.signal.aborted) return;

  const children: { host: Child | null; controlPlane: Child | null } = { host: null, controlPlane: null };
  const startHost = async () => (children.host = await launchHost(settings, version, owner));
  const startControlPlane = async () => (children.controlPlane = await launchControlPlane(settings, version, owner));

  try {
    const host = await startHost();
    const controlPlane = await startControlPlane();
    const { signal } = ending;
    const ready = await progress.step("start", async () => {
      await abortable(waitForHost(host, data), signal);
      return abortable(waitUntilReady(controlPlane, join(data, "logs", "control-plane.log")), signal);
    });
    await lock.tell(ready.address);
    progress.say(`Alcove is ready: ${ready.signInLink ?? ready.address}`);
    if (command !== "alcove") progress.say(`The command line is ${command}`);
    await Promise.all([
      supervise(host, {
        start: startHost,
        signal,
        onDeath: (ms) => progress.say(`The host process ended; starting it again in ${ms} ms.`),
      }),
      supervise(controlPlane, {
        start: startControlPlane,
        signal,
        onDeath: (ms) => progress.say(`The control plane ended; starting it again in ${ms} ms.`),
      }),
    ]);
  } finally {
    ending.abort();
    progress.say("Stopping …");
    // What cannot be told, as on a full disk, does not keep anything running.
    await lock.tell(null).catch(() => undefined);
    if (children.controlPlane) await endProcess(children.controlPlane.mark, endingGraceMs);
    await stopLocalPostgres(join(data, "postgres"));
    if (children.host) {
      await shutDownHost(data);
      await endProcess(children.host.mark, endingGraceMs);
    }
  }
}

/** Ends what a start left running that was killed itself. Boxes are not touched: the new host process finds them. */
async function endAbandoned({ data }: Settings): Promise<void> {
  for (const mark of await abandonedProcesses(data)) await endProcess(mark, endingGraceMs);
  await stopLocalPostgres(join(data, "postgres"));
}

async function ensureHostPackages({ root }: Settings): Promise<void> {
  const missing = await missingPackages(boxPackages);
  if (missing.length === 0) return;
  if (!root) {
    progress.say(`! Boxes can do more with: ${installCommand(missing)}`);
    return;
  }
  const failure = await progress.step(`Debian packages ${missing.join(" ")}`, () => installPackages(missing));
  if (failure !== null)
    progress.say(
      `! Not all of them could be installed; \`alcove doctor\` says what is missing.\n${failure.replace(/^/gm, "    ")}`,
    );
}

try {
  await start();
} catch (error) {
  if (error !== interrupted) tell(error);
}

function tell(error: unknown): void {
  process.exitCode = 1;
  const told = error instanceof CodedError ? error : ofSystem(error);
  if (told) console.error(`${told.code}: ${told.message}\n${told.hint}`);
  else console.error("The start failed for a reason that it does not know:", error);
}

/** What the machine has against the start, as an error that says what to do; undefined for anything else. */
function ofSystem(error: unknown): CodedError | undefined {
  if (!(error instanceof Error && "code" in error)) return undefined;
  const message = `Alcove cannot be started: ${error.message}`;
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return new CodedError("host_full", message, { cause: error });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new CodedError("not_allowed", message, {
        hint: "Give the user who starts Alcove the right to write there.",
        cause: error,
      });
    default:
      return undefined;
  }
}
