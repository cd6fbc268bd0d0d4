import { readdir, readFile, readlink } from "node:fs/promises";
import { startTestAlcove } from "../tests/fixtures/alcove.ts";
import { type BenchResult, quantile, round } from "./report.ts";

const mebibyte = 2 ** 20;

/** Private memory at rest, in MiB: control plane, host process, PostgreSQL, and the daemon of one workspace (init and server). */
export async function benchIdle(): Promise<BenchResult> {
  await using alcove = await startTestAlcove();
  const { client } = alcove.plane;
  const count = 5;
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const { id } = await client.workspaces.create();
    ids.push(id);
    await client.workspaces.execAndWait(id, { command: ["/bin/true"] });
  }
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const processes = await processesOf([alcove.data, ...ids]);
  const sum = (pattern: RegExp) =>
    processes.filter(({ command }) => pattern.test(command)).reduce((total, { bytes }) => total + bytes, 0) / mebibyte;
  const daemons = processes.filter(({ command }) => /alcove-daemon/.test(command)).map(({ bytes }) => bytes / mebibyte);
  const perWorkspace = sum(/alcove-daemon/) / count;
  return {
    name: "idle",
    unit: "MiB",
    n: count,
    p50: round(perWorkspace),
    p95: round(perWorkspace),
    daemonProcess: quantile(daemons, 0.5),
    controlPlane: round(sum(/control-plane\/src\/main/)),
    host: round(sum(/host\/src\/main/)),
    postgres: round(sum(/postgres/)),
  };
}

/** Every process that one of the marks stands for in its command, environment or folder, with its private memory in bytes. */
async function processesOf(marks: readonly string[]): Promise<{ command: string; bytes: number }[]> {
  const found: { command: string; bytes: number }[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
      const about = `${command} ${await readFile(`/proc/${pid}/environ`, "utf8")} ${await readlink(`/proc/${pid}/cwd`)}`;
      if (!marks.some((mark) => about.includes(mark))) continue;
      const memory = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
      const kilobytes = [...memory.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map((match) =>
        Number(match[1]),
      );
      found.push({ command, bytes: kilobytes.reduce((total, each) => total + each, 0) * 1024 });
    } catch (error) {
      // A process may end while it is looked at.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
  return found;
}
