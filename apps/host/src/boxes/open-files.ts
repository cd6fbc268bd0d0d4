import { readFileSync } from "node:fs";
import { mustRun } from "../kernel/command.ts";

/** The limit of open files that each process of a box gets: never more than the host process itself may have, which binds its user namespaces too. */
export function allowedOpenFiles(wanted = 65_536): number {
  return Math.min(wanted, ownOpenFiles());
}

/**
 * Sets the limit of the box's processes that run already (prlimit(1)); those that they start have it from them. A host process without CAP_SYS_RESOURCE does it
 * as the box's own user, who may lower it; a higher one then holds from the next start on.
 */
export async function limitOpenFiles(pids: number[], boxUser: number, wanted: number | undefined): Promise<void> {
  const script = `
    limit=$1 user=$2
    shift 2
    for pid; do
      set -- prlimit --pid "$pid" --nofile="$limit:$limit"
      "$@" 2> /dev/null || setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@" 2> /dev/null || :
    done`;
  const limit = String(allowedOpenFiles(wanted));
  await mustRun(["sh", "-c", script, "sh", limit, String(boxUser), ...pids.map(String)]);
}

function ownOpenFiles(): number {
  const hard = Number(/^Max open files +[0-9]+ +([0-9]+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  return Number.isFinite(hard) ? hard : 1_024;
}
