import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Limits } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import type { Client } from "@alcove/sdk/client";
import { type Command, InvalidArgumentError } from "commander";
import { exitCodes } from "./exit-codes.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { addLifetimeCommand } from "./lifetime.ts";
import { printable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const pollMs = 1_000;

/** Commands of `alcove ws` about the workspace as a computer: its power, limits, history, and its way in and out as an archive. */
export function addComputerCommands(ws: Command, client: () => Promise<Client>, terminal: Terminal): void {
  ws.command("start")
    .description("start workspaces that sleep")
    .argument("<workspace...>", "names or ids")
    .action(async (names: string[]) => {
      const { workspaces } = await client();
      for (const name of names) await workspaces.start(name);
    });
  ws.command("stop")
    .description("stop workspaces; their files stay")
    .argument("<workspace...>", "names or ids")
    .action(async (names: string[]) => {
      const { workspaces } = await client();
      for (const name of names) await workspaces.stop(name);
    });
  ws.command("limits")
    .description("print or change the limits of a workspace; a change holds at once, `none` takes a limit away")
    .argument("<workspace>", "name or id")
    .option("--memory <size>", "as in 2G", readSize)
    .option("--cpus <number>", "as in 1.5", readCount)
    .option("--processes <number>", "most processes and threads at a time", readCount)
    .option("--disk <size>", "as in 20G", readSize)
    .option("--open-files <number>", "most open files of each process", readCount)
    .option("--json", "print JSON", false)
    .action(async (name: string, { json, ...options }: LimitOptions & { json: boolean }) => {
      const { workspaces } = await client();
      let { limits } = await workspaces.get(name);
      if (Object.keys(options).length > 0)
        ({ limits } = await workspaces.update(name, { limits: changeLimits(limits, options) }));
      terminal.write(json ? `${JSON.stringify(limits)}\n` : describeLimits(limits));
    });
  addLifetimeCommand(ws, client, terminal);
  ws.command("fork")
    .description("make a new workspace with the files of another as they are now, or of a snapshot, and print its name")
    .argument("<workspace>", "name or id")
    .argument("[name]", "name of the new one; made up when left out")
    .option("--snapshot <snapshot>", "id or name, as `alcove snapshot ls` shows them")
    .action(async (workspace: string, name: string | undefined, options: { snapshot?: string }) => {
      const connected = await client();
      const wish = { ...(name !== undefined && { name }), ...(await idOf(connected, workspace, options)) };
      terminal.write(`${(await connected.workspaces.fork(workspace, wish)).name}\n`);
    });
  ws.command("export")
    .description("write a workspace's files as a .tar.gz archive, to standard output unless a file is named")
    .argument("<workspace>", "name or id")
    .argument("[file]", "must not be there yet")
    .option("--snapshot <snapshot>", "id or name, as `alcove snapshot ls` shows them")
    .action(async (workspace: string, file: string | undefined, options: { snapshot?: string }) => {
      const connected = await client();
      const of = await idOf(connected, workspace, options);
      const archive = Readable.fromWeb(await connected.workspaces.export(workspace, of));
      if (file === undefined) return pipeline(archive, process.stdout, { end: false });
      await writeNewFile(terminal, archive, file);
    });
  ws.command("import")
    .description(
      "make a workspace of a tar archive, plain or gzip, that `export` wrote or that holds projects, and print its name",
    )
    .argument("<file>", "the archive; - for standard input")
    .argument("[name]", "name of the new one; made up when left out")
    .action(async (file: string, name?: string) => {
      const { workspaces } = await client();
      const source = file === "-" ? terminal.input : createReadStream(file);
      const failed = new Promise<never>((_, reject) => source.once("error", reject));
      const archive = Readable.toWeb(source);
      const made = workspaces.import(archive, name === undefined ? {} : { name });
      terminal.write(`${(await Promise.race([made, failed]).catch(notThatFile(file))).name}\n`);
    });
  ws.command("events")
    .description("print what happened to a workspace: limits, denials, starts, stops, changes")
    .argument("<workspace>", "name or id")
    .option("-f, --follow", "go on until Ctrl-C", false)
    .option("--json", "print each as a line of JSON", false)
    .action(async (name: string, { follow, json }: { follow: boolean; json: boolean }) => {
      const { workspaces } = await client();
      const [newest] = (await workspaces.events(name, { limit: 100 })).items;
      let after = Math.max(0, (newest?.seq ?? 0) - 100);
      do {
        const { items } = await workspaces.events(name, { after, limit: 100 });
        for (const event of items)
          terminal.write(json ? `${JSON.stringify(event)}\n` : `${event.at}  ${printable(event.text)}\n`);
        after = items.at(-1)?.seq ?? after;
        if (follow && items.length === 0) await new Promise((resolve) => setTimeout(resolve, pollMs));
      } while (follow || after < (newest?.seq ?? 0));
    });
  ws.command("log")
    .description("print the end of what the box of a workspace itself said, also after it has ended")
    .argument("<workspace>", "name or id")
    .action(async (name: string) => terminal.write(printable(await (await client()).workspaces.log(name))));
}

async function idOf(
  client: Client,
  workspace: string,
  { snapshot }: { snapshot?: string },
): Promise<{ snapshot?: string }> {
  return snapshot === undefined ? {} : { snapshot: await findSnapshot(client, workspace, snapshot) };
}

/** Half an archive would look like a whole one: nothing stays of a file that is broken off. */
async function writeNewFile(terminal: Terminal, content: Readable, path: string): Promise<void> {
  const leaving = new AbortController();
  using _ = terminal.onInterrupt(() => leaving.abort());
  const file = createWriteStream(path, { flags: "wx" });
  let opened = false;
  file.once("open", () => (opened = true));
  try {
    await pipeline(content, file, { signal: leaving.signal });
  } catch (cause) {
    // What was there before is somebody else's.
    if (!opened) return notThatFile(path)(cause);
    await rm(path, { force: true });
    if (leaving.signal.aborted) return void (process.exitCode = exitCodes.interrupted);
    const isOurs = cause instanceof Error && "syscall" in cause;
    throw isOurs ? cause : new CodedError("server_unreachable", "The server broke the archive off", { cause });
  }
}

type Wished = number | "none";
export type LimitOptions = {
  memory?: Wished;
  cpus?: Wished;
  processes?: Wished;
  disk?: Wished;
  openFiles?: Wished;
};

/** The limits with those of the options in their place; `none` takes one away. */
export function changeLimits(before: Limits, options: LimitOptions): Limits {
  const { memory, cpus, processes, disk, openFiles } = options;
  const wished = Object.entries({ memoryBytes: memory, cpus, processes, diskBytes: disk, openFiles });
  const all: Record<string, Wished | undefined> = {
    ...before,
    ...Object.fromEntries(wished.filter(([, value]) => value !== undefined)),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== "none"));
}

export function describeLimits({ memoryBytes, cpus, processes, diskBytes, openFiles }: Limits): string {
  const size = (bytes: number | undefined) => (bytes === undefined ? "none" : `${Math.round(bytes / 2 ** 20)} MiB`);
  return [
    `memory      ${size(memoryBytes)}`,
    `cpus        ${cpus ?? "none"}`,
    `processes   ${processes ?? "none"}`,
    `disk        ${size(diskBytes)}`,
    `open files  ${openFiles ?? "none"}`,
    "",
  ].join("\n");
}

/** Bytes: `512M` and `2GiB` with powers of 1024, `2GB` with powers of 1000. */
export function readSize(text: string): Wished {
  if (text === "none") return text;
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kMGT])(i?B)?|B)?$/i.exec(text);
  if (!match) throw new InvalidArgumentError("It is a size as in 512M or 2G, or none.");
  const [, number, unit = "", suffix = ""] = match;
  const power = ["", "k", "m", "g", "t"].indexOf(unit.toLowerCase());
  return Math.round(Number(number) * (suffix.toLowerCase() === "b" ? 1000 : 1024) ** power);
}

function readCount(text: string): Wished {
  if (text === "none") return text;
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It is a number above 0, or none.");
  return value;
}

function notThatFile(file: string) {
  return (error: unknown): never => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") throw new CodedError("file_exists", `"${file}" is there already.`, { cause: error });
    if (code === "ENOENT") throw new CodedError("file_not_found", `There is no "${file}".`, { cause: error });
    if (code === "EACCES" || code === "EISDIR")
      throw new CodedError("file_forbidden", `Cannot open "${file}".`, { cause: error });
    throw error;
  };
}
