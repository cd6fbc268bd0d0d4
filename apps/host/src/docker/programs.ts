import { closeSync, existsSync, openSync, readSync, writeSync } from "node:fs";
import { copyFile, chmod, cp, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { findProgram, mustRun } from "../kernel/command.ts";
import type { Site } from "../site.ts";

/** Where the daemon's own libraries are in a box, and its socket. */
export const insidePrograms = "/run/alcove";
export const insideLinkFolder = `${insidePrograms}/link`;
export const socketName = "daemon.sock";
export const insideLink = `${insideLinkFolder}/${socketName}`;
const insideLoader = `${insidePrograms}/ld.so`;

/**
 * A folder of the host with the daemon and tmux, their loader and their libraries, for images that have other ones or none: the same programs, but for the
 * name of the daemon's loader. Made again when the daemon was
 * replaced.
 */
export function createPrograms(site: Site) {
  const daemon = `${site.data}/opt/bin/alcove-daemon`;
  let making: Promise<string> | undefined;

  const folderOfNow = async (): Promise<string> => {
    const { size, mtimeMs } = await stat(daemon);
    return `${site.data}/docker/programs-${size}-${Math.round(mtimeMs)}`;
  };
  const make = async (): Promise<string> => {
    const folder = await folderOfNow();
    if (existsSync(folder)) return folder;
    const fresh = `${folder}.new`;
    await rm(fresh, { recursive: true, force: true });
    for (const name of ["bin", "lib", "link"]) await mkdir(`${fresh}/${name}`, { recursive: true, mode: 0o755 });
    await copyFile(daemon, `${fresh}/bin/alcove-daemon`);
    setLoader(`${fresh}/bin/alcove-daemon`, insideLoader);
    await copyLibraries(daemon, fresh);
    const tmux = findProgram("tmux");
    if (tmux !== null) {
      await copyFile(tmux, `${fresh}/bin/tmux`);
      await copyLibraries(tmux, fresh);
      await copyTerminal(`${fresh}/terminfo`);
      await copyLocale(`${fresh}/locale`);
    }
    await rename(fresh, folder);
    return folder;
  };

  return {
    /** Path of the folder; the first call for a daemon takes some tenths of a second. */
    folder(): Promise<string> {
      making ??= make().finally(() => (making = undefined));
      return making;
    },
    /** Removes those of other daemons; for a moment at which no box runs that has them. */
    async sweep(): Promise<void> {
      const now = path.basename(await folderOfNow());
      for (const name of await readdir(`${site.data}/docker`).catch(() => []))
        if (!name.startsWith(now)) await rm(`${site.data}/docker/${name}`, { recursive: true, force: true });
    },
  };
}

/** The libraries of a program as this machine loads them (ldd(1)), and their loader. */
async function copyLibraries(program: string, target: string): Promise<void> {
  for (const line of (await mustRun(["ldd", program])).split("\n")) {
    const library = /(\/\S+) \(0x/.exec(line)?.[1];
    if (library === undefined) continue;
    const name = library.slice(library.lastIndexOf("/") + 1);
    const copy = name.startsWith("ld-linux") ? `${target}/ld.so` : `${target}/lib/${name}`;
    await copyFile(library, copy);
    await chmod(copy, 0o755);
  }
}

/** What terminals are called in boxes, for images that know no terminals at all (terminfo(5)). */
async function copyTerminal(target: string): Promise<void> {
  const name = "x/xterm-256color";
  const known = ["/lib/terminfo", "/usr/share/terminfo"].find((folder) => existsSync(`${folder}/${name}`));
  if (known === undefined) return;
  await mkdir(`${target}/x`, { recursive: true, mode: 0o755 });
  await copyFile(`${known}/${name}`, `${target}/${name}`);
}

/** tmux wants a locale of UTF-8 in its own C library's form (locale(7), LOCPATH). */
async function copyLocale(target: string): Promise<void> {
  const known = ["/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8"].find((folder) => existsSync(folder));
  await mkdir(target, { recursive: true, mode: 0o755 });
  if (known !== undefined) await cp(known, `${target}/C.utf8`, { recursive: true });
}

export type Programs = ReturnType<typeof createPrograms>;

const programHeader = { interpreter: 3 };

/** Writes the path of another loader into a program, in the place of a longer one (elf(5), PT_INTERP). */
function setLoader(program: string, loader: string): void {
  const file = openSync(program, "r+");
  try {
    const header = Buffer.alloc(64);
    readSync(file, header, 0, header.length, 0);
    const [offset, size, count] = [
      Number(header.readBigUInt64LE(32)),
      header.readUInt16LE(54),
      header.readUInt16LE(56),
    ];
    for (let index = 0; index < count; index += 1) {
      const entry = Buffer.alloc(size);
      readSync(file, entry, 0, size, offset + index * size);
      if (entry.readUInt32LE(0) !== programHeader.interpreter) continue;
      const [at, room] = [Number(entry.readBigUInt64LE(8)), Number(entry.readBigUInt64LE(32))];
      if (loader.length >= room) throw new Error("the program has no room for the path of its loader");
      const name = Buffer.alloc(room);
      name.write(loader);
      writeSync(file, name, 0, room, at);
      return;
    }
    throw new Error("the program names no loader");
  } finally {
    closeSync(file);
  }
}
