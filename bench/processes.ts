import { readdir, readFile, readlink } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { round } from "./report.ts";

/** Ticks of /proc in a second: USER_HZ, 100 on every Linux (proc(5)). */
const ticksPerSecond = 100;

export interface Process {
  readonly command: string;
  /** Private memory. */
  readonly bytes: number;
  /** Milliseconds of processor time: its own, and of its children that have ended. */
  readonly ownMs: number;
  readonly childrenMs: number;
}

/** Every process that one of the marks stands for in its command, environment, folder or control groups. */
export async function processesOf(marks: readonly string[]): Promise<Process[]> {
  const found: Process[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
      const texts = await Promise.all(["environ", "cgroup"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8")));
      const about = `${command} ${texts.join(" ")} ${await readlink(`/proc/${pid}/cwd`)}`;
      if (!marks.some((mark) => about.includes(mark))) continue;
      const memory = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
      const kilobytes = [...memory.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map((match) =>
        Number(match[1]),
      );
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const [user = 0, system = 0, childUser = 0, childSystem = 0] = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .slice(11, 15)
        .map((ticks) => (Number(ticks) * 1_000) / ticksPerSecond);
      found.push({
        command,
        bytes: kilobytes.reduce((total, each) => total + each, 0) * 1024,
        ownMs: user + system,
        childrenMs: childUser + childSystem,
      });
    } catch (error) {
      // A process may end while it is looked at.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
  return found;
}

/** What all processors of the machine do until the call of what it gives, each as a part of their time. `stolen` is what other virtual machines took. */
export async function watchProcessors(): Promise<() => Promise<{ cores: number; busy: number; stolen: number }>> {
  const read = async () => {
    const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, stolen = 0] = line
      .split(/\s+/)
      .slice(1)
      .map(Number);
    const busy = user + nice + system + irq + softirq;
    return { busy, stolen, all: busy + stolen + idle + wait };
  };
  const before = await read();
  return async () => {
    const after = await read();
    const part = (name: "busy" | "stolen") => round((after[name] - before[name]) / (after.all - before.all));
    return { cores: availableParallelism(), busy: part("busy"), stolen: part("stolen") };
  };
}
