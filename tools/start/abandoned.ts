import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { markOf, type ProcessMark } from "./start-lock.ts";

const programs = ["control-plane", "host"] as const;

/**
 * Control planes and host processes that run from this data directory, in the order in which they are to be ended. Whoever holds the start's lock has
 * started none yet: they are left of a start that was killed, at whatever moment.
 */
export async function abandonedProcesses(data: string): Promise<ProcessMark[]> {
  const parts = `${await realpath(join(data, "parts"))}${sep}`;
  // A process in a box may call itself whatever it likes.
  const ownSpace = await readlink("/proc/self/ns/pid");
  const found = await Promise.all(
    (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map((pid) => look(Number(pid), parts, ownSpace)),
  );
  return programs.flatMap((program) => found.flatMap((each) => (each?.program === program ? [each.mark] : [])));
}

type Found = { program: (typeof programs)[number]; mark: ProcessMark };

/** Null for a process of something else, of somebody else, or that has ended. */
async function look(pid: number, parts: string, ownSpace: string): Promise<Found | null> {
  try {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
    const main = words.find((word) => word.endsWith("/main.mjs"));
    // By the way through `versions/` or straight: the host process of an ordinary user has started itself again.
    const place = main === undefined ? "" : await realpath(main);
    const program = programs.find((name) => place.startsWith(`${parts}${name}-`));
    if (program === undefined || (await readlink(`/proc/${pid}/ns/pid`)) !== ownSpace) return null;
    const mark = await markOf(pid);
    return mark && { program, mark };
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return null;
  }
}
