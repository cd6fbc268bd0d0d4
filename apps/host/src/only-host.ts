import { mkdirSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { libc } from "./kernel/libc.ts";

const exclusive = 2;
const nonBlocking = 4;
const patienceMs = 20_000;
const pauseMs = 20;

/**
 * Holds the data directory for this process until its end: two host processes would take boxes and their networks from each other. One that is at its end is waited
 * for (flock(2)); what this process starts does not inherit it.
 */
export async function becomeOnlyHost(data: string): Promise<void> {
  mkdirSync(`${data}/run`, { recursive: true, mode: 0o755 });
  const lock = openSync(`${data}/run/host.lock`, "a", 0o600);
  const deadline = performance.now() + patienceMs;
  while (libc.flock(lock, exclusive | nonBlocking) !== 0) {
    if (performance.now() > deadline) throw new Error(`Another host process serves ${data}`);
    await sleep(pauseMs);
  }
}
