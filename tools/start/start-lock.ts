import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** A process that cannot be mistaken for a later one of the same id: `startedAt` is its start in clock ticks since boot. */
const markSchema = z.object({ pid: z.number().int().positive(), startedAt: z.string() });
export type ProcessMark = z.infer<typeof markSchema>;

const contentSchema = z.object({ start: markSchema, address: z.string().nullable() });
type LockContent = z.infer<typeof contentSchema>;

export type StartLock = AsyncDisposable & {
  /** Tells the command line and other starts where this one serves; null while it does not. */
  tell(address: string | null): Promise<void>;
};

/** Takes the data directory for this start, or gives the content of the lock of the start that holds it. */
export async function takeStartLock(data: string): Promise<{ lock: StartLock } | { holder: LockContent }> {
  const path = join(data, "run", "start.json");
  const start = await markOf(process.pid);
  if (!start) throw new Error("This process is not in /proc");
  const content: LockContent = { start, address: null };
  // Written whole before it has its name: a start that is killed here, or a full disk, leaves no lock that nobody holds.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, JSON.stringify(content), { mode: 0o600 });
  try {
    const earlier = await readLock(path);
    if (earlier && (await isAlive(earlier.start))) return { holder: earlier };
    await rename(path, `${draft}.left`).catch(() => undefined);
    // Another start may have put its own there meanwhile, and has it back.
    const left = await readLock(`${draft}.left`);
    if (left && (await isAlive(left.start))) await rename(`${draft}.left`, path);
    await link(draft, path);
  } catch (error) {
    const holder = await readLock(path);
    if (holder) return { holder };
    throw error;
  } finally {
    for (const file of [draft, `${draft}.left`]) await rm(file, { force: true });
  }
  const lock: StartLock = {
    async tell(address) {
      await writeFile(`${path}.draft`, JSON.stringify({ ...content, address }), { mode: 0o600 });
      await rename(`${path}.draft`, path);
    },
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  };
  return { lock };
}

async function readLock(path: string): Promise<LockContent | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return contentSchema.parse(JSON.parse(text));
  } catch {
    // Written in part when the machine went down: nothing of that time runs any more.
    return null;
  }
}

/** The mark of a living process; null when there is none of that id. Field 22 of /proc/<pid>/stat, counted behind the name. */
export async function markOf(pid: number): Promise<ProcessMark | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const startedAt = fields?.[19];
  return startedAt === undefined || fields?.[0] === "Z" ? null : { pid, startedAt };
}

export async function isAlive(mark: ProcessMark): Promise<boolean> {
  return (await markOf(mark.pid))?.startedAt === mark.startedAt;
}
