import { readFileSync } from "node:fs";
import { mustRun } from "../kernel/command.ts";

/** The limit of open files that each process of a box gets: never more than the host process itself may have, which binds its user namespaces too. */
export function allowedOpenFiles(wanted = 65_536): number {
  return Math.min(wanted, ownOpenFiles());
}

/** Sets the limit of processes that run already (prlimit(1)); those that they start have it from them. */
export async function limitOpenFiles(pids: number[], wanted: number | undefined): Promise<void> {
  // One that has ended meanwhile needs no limit.
  const script = 'limit=$1; shift; for pid; do prlimit --pid "$pid" --nofile="$limit:$limit" 2> /dev/null || :; done';
  await mustRun(["sh", "-c", script, "sh", String(allowedOpenFiles(wanted)), ...pids.map(String)]);
}

function ownOpenFiles(): number {
  const hard = Number(/^Max open files +[0-9]+ +([0-9]+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  return Number.isFinite(hard) ? hard : 1_024;
}
