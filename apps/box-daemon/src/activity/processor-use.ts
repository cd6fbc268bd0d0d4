import { readdirSync, readFileSync } from "node:fs";

/** Ticks of processor time, and the name, by process. */
export type ProcessorTimes = ReadonlyMap<number, { name: string; ticks: number }>;

/** Clock ticks per second in /proc (USER_HZ), the same on every Linux that Alcove runs on. */
const ticksPerSecond = 100;
/** A server that only waits uses less than this share of a processor. */
const busyShare = 0.03;

/** Of /proc/<pid>/stat (proc(5)): the times of each process and of the children that it has waited for. */
export function readProcessorTimes(skip: ReadonlySet<number>): ProcessorTimes {
  const times = new Map<number, { name: string; ticks: number }>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || skip.has(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const end = stat.lastIndexOf(")");
      const fields = stat.slice(end + 2).split(" ");
      const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field] ?? 0), 0);
      times.set(pid, { name: stat.slice(stat.indexOf("(") + 1, end), ticks });
    } catch {
      // It has ended meanwhile.
    }
  }
  return times;
}

/** Name of the program that used the processor most between two looks; null when all of them together did next to nothing. */
export function busiestProgram(before: ProcessorTimes, after: ProcessorTimes, milliseconds: number): string | null {
  let all = 0;
  let most = { name: "", ticks: 0 };
  for (const [pid, { name, ticks }] of after) {
    const used = Math.max(0, ticks - (before.get(pid)?.ticks ?? 0));
    all += used;
    if (used > most.ticks) most = { name, ticks: used };
  }
  return all / ticksPerSecond / (milliseconds / 1_000) >= busyShare && most.ticks > 0 ? most.name : null;
}
