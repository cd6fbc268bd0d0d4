import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CodedError } from "@alcove/contract/errors";
import type { Owner } from "./command.ts";
import { asDiskError } from "./cluster.ts";

/** PostgreSQL names its socket after the port, also where it listens on no port. */
export const socketPort = 5432;
const socketName = `.s.PGSQL.${socketPort}`;
/** `sun_path` holds 108 bytes with the closing NUL. */
const longestSocketPath = 107;

/** Makes the private folder of the server's socket: `preferred`, or a short one under the temporary folder when the path gets too long. */
export async function prepareSocketDirectory(preferred: string, owner: Owner | undefined): Promise<string> {
  const fits = Buffer.byteLength(join(preferred, socketName)) <= longestSocketPath;
  const short = `alcove-${createHash("sha256").update(preferred).digest("hex").slice(0, 16)}`;
  const path = fits ? preferred : join(tmpdir(), short);
  await preparePrivateFolder(path, owner);
  return path;
}

/** Makes the folder with mode 0700 for its owner. Gives `data_not_writable` also when somebody else made it first. */
export async function preparePrivateFolder(path: string, owner: Owner | undefined): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await mkdir(path, { recursive: true, mode: 0o700 });
    await requireOwn(path, owner);
    await chmod(path, 0o700);
    if (owner) await chown(path, owner.uid, owner.gid);
  } catch (error) {
    throw asDiskError(error, path);
  }
}

async function requireOwn(path: string, owner: Owner | undefined): Promise<void> {
  const stats = await lstat(path);
  const own = stats.uid === process.getuid?.() || stats.uid === owner?.uid;
  if (!stats.isDirectory() || !own)
    throw new CodedError("data_not_writable", `Cannot use ${path}: it belongs to somebody else.`);
}
