import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { copyFile, chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { mustRun } from "../kernel/command.ts";
import { isThere } from "../volumes/pool.ts";
import type { Site } from "../site.ts";

/** Where the daemon's own libraries are in a box, and its socket. */
export const insidePrograms = "/run/alcove";
export const insideLinkFolder = `${insidePrograms}/link`;
export const socketName = "daemon.sock";
export const insideLink = `${insideLinkFolder}/${socketName}`;
const insideLoader = `${insidePrograms}/ld.so`;

/**
 * A folder of the host with the daemon, its loader and its libraries, for images that have other ones or none: the same program, but for the name of its
 * loader. Made again when the daemon was replaced.
 */
export function createPrograms(site: Site) {
  const daemon = `${site.data}/opt/bin/alcove-daemon`;
  let making: Promise<string> | undefined;

  const make = async (): Promise<string> => {
    const { size, mtimeMs } = await stat(daemon);
    const folder = `${site.data}/docker/programs-${size}-${Math.round(mtimeMs)}`;
    if (await isThere(folder)) return folder;
    const fresh = `${folder}.new`;
    await rm(`${site.data}/docker`, { recursive: true, force: true });
    for (const name of ["bin", "lib", "link"]) await mkdir(`${fresh}/${name}`, { recursive: true, mode: 0o755 });
    await copyFile(daemon, `${fresh}/bin/alcove-daemon`);
    setLoader(`${fresh}/bin/alcove-daemon`, insideLoader);
    const libraries = (await mustRun(["ldd", daemon]))
      .split("\n")
      .flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
    for (const library of libraries) {
      const name = library.slice(library.lastIndexOf("/") + 1);
      const target = name.startsWith("ld-linux") ? `${fresh}/ld.so` : `${fresh}/lib/${name}`;
      await copyFile(library, target);
      await chmod(target, 0o755);
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
  };
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
      const path = Buffer.alloc(room);
      path.write(loader);
      writeSync(file, path, 0, room, at);
      return;
    }
    throw new Error("the program names no loader");
  } finally {
    closeSync(file);
  }
}
