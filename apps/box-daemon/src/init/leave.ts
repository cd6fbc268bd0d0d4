import { readdirSync } from "node:fs";

const graceMs = 3_000;
const lookEveryMs = 5;

/**
 * The signal is aborted on SIGTERM, and the process ends. In a box the first process has then told all others to end, and ends with the daemon: this waits until they
 * have, for three seconds at most.
 */
export function leaveLast(): AbortSignal {
  const leaving = new AbortController();
  process.once("SIGTERM", () => {
    leaving.abort();
    const deadline = performance.now() + graceMs;
    const look = () => {
      if (process.ppid === 1 && performance.now() < deadline && othersRun()) setTimeout(look, lookEveryMs);
      else process.exit(0);
    };
    look();
  });
  return leaving.signal;
}

function othersRun(): boolean {
  const own = new Set([1, process.pid]);
  return readdirSync("/proc").some((entry) => /^[0-9]+$/.test(entry) && !own.has(Number(entry)));
}
