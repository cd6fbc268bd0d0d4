import { chmod, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { usualDataDirectory } from "./settings.ts";

/**
 * Installs the `alcove` command, which uses whatever version is current, and gives what the user can call it by: its name where the data
 * directory is the usual one, so that a trial in another directory does not take the name, else its path.
 */
export async function installCommandLine(data: string, root: boolean): Promise<string> {
  const launcher = join(data, "bin", "alcove");
  await mkdir(join(data, "bin"), { recursive: true, mode: 0o755 });
  const text = launcherText(data);
  if ((await readFile(launcher, "utf8").catch(() => null)) !== text) {
    await writeFile(`${launcher}.draft`, text);
    await chmod(`${launcher}.draft`, 0o755);
    await rename(`${launcher}.draft`, launcher);
  }
  const folder = root ? "/usr/local/bin" : join(homedir(), ".local", "bin");
  const onPath = (process.env["PATH"] ?? "").split(":").includes(folder);
  return data === usualDataDirectory(root) && onPath && (await linkCommand(join(folder, "alcove"), launcher))
    ? "alcove"
    : launcher;
}

/** False when something that is not ours is there, or the folder cannot be written. */
async function linkCommand(path: string, launcher: string): Promise<boolean> {
  const present = await lstat(path).catch(() => null);
  if (present && !(present.isSymbolicLink() && (await readFile(path, "utf8").catch(() => ownMark)).includes(ownMark)))
    return false;
  try {
    await rm(`${path}.draft`, { force: true });
    await symlink(launcher, `${path}.draft`);
    await rename(`${path}.draft`, path);
    return true;
  } catch {
    return false;
  }
}

const ownMark = "# The command line of Alcove.";

function launcherText(data: string): string {
  const quoted = `'${data.replaceAll("'", "'\\''")}'`;
  return [
    "#!/bin/sh",
    ownMark,
    `home=${quoted}`,
    'export ALCOVE_DATA="${ALCOVE_DATA:-$home}"',
    'exec "$home/versions/current/node/bin/node" "$home/versions/current/cli/main.mjs" "$@"',
    "",
  ].join("\n");
}
