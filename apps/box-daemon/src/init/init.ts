import { readFileSync } from "node:fs";
import { peekEndedChild, reapChild } from "../system/libc.ts";
import { log } from "../system/log.ts";
import { readEnvironment } from "../system/environment.ts";
import { ownCommand, ownEnvironment } from "../system/own-command.ts";

const firstBackoffMs = 50;
const lastBackoffMs = 5_000;
/** A daemon that ran for this long, in milliseconds, is restarted without waiting. */
const healthyMs = 10_000;
const stopGraceMs = 3_000;
const reapDelayMs = 20;
const reapEveryMs = 1_000;

/** Pid 1 of a box: keeps `serve` running on its link, reaps orphans, and ends everything on SIGTERM. */
export async function runInit(): Promise<void> {
  let serving: Bun.Subprocess | null = null;
  let stopping = false;
  let reapTimer: ReturnType<typeof setTimeout> | null = null;

  // The runtime waits for its own child itself; all others are orphans that came to this process.
  const reap = () => {
    reapTimer = null;
    for (let pid = peekEndedChild(); pid !== null; pid = peekEndedChild()) {
      if (pid === serving?.pid) {
        scheduleReap();
        return;
      }
      reapChild(pid);
    }
  };
  const scheduleReap = () => {
    reapTimer ??= setTimeout(reap, reapDelayMs);
  };
  process.on("SIGCHLD", scheduleReap);
  // Signals of the same kind melt into one, and the runtime takes some for itself.
  setInterval(reap, reapEveryMs);

  const stop = async () => {
    if (stopping) return;
    stopping = true;
    // Only pid 1 of a box may signal everything: elsewhere that would reach far more than our own.
    if (process.pid === 1) signalAll("SIGTERM");
    else serving?.kill("SIGTERM");
    const deadline = performance.now() + stopGraceMs;
    while (performance.now() < deadline && hasChildren()) await Bun.sleep(reapDelayMs);
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());

  const { link } = readEnvironment(process.env);
  const stdio: ["ignore", "inherit", "inherit", ...number[]] = [
    "ignore",
    "inherit",
    "inherit",
    ...("fd" in link ? [link.fd] : []),
  ];
  let backoffMs = firstBackoffMs;
  while (!stopping) {
    const startedAt = performance.now();
    serving = Bun.spawn(ownCommand("serve"), { env: ownEnvironment(), stdio });
    const exitCode = await serving.exited;
    if (stopping) return;
    const healthy = performance.now() - startedAt > healthyMs;
    backoffMs = healthy ? firstBackoffMs : Math.min(backoffMs * 2, lastBackoffMs);
    log("error", "The daemon ended and is started again", { exitCode, signal: serving.signalCode, backoffMs });
    await Bun.sleep(backoffMs);
  }
}

function signalAll(signal: NodeJS.Signals): void {
  try {
    process.kill(-1, signal);
  } catch {
    // Nothing is left.
  }
}

function hasChildren(): boolean {
  return readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim() !== "";
}
