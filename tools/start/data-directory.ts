import { chmod, chown, mkdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CodedError } from "../../packages/contract/src/errors.ts";
import { run } from "../project.ts";

export type Owner = { uid: number; gid: number };

const userName = "alcove";

/**
 * The user that the control plane runs as: this one, or for root the system user `alcove`, which is made when it is missing.
 * Gives `not_allowed` when it cannot be made.
 */
export async function controlPlaneUser(): Promise<Owner> {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  if (uid === undefined || gid === undefined) throw new TypeError("This system has no user ids");
  if (uid !== 0) return { uid, gid };
  const known = await findUser();
  if (known) return known;
  const args = [
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir",
    "/nonexistent",
    "--shell",
    "/usr/sbin/nologin",
    userName,
  ];
  const made = await run("useradd", args).catch((error: Error) => ({ exitCode: 1, output: error.message }));
  const user = await findUser();
  if (!user)
    throw new CodedError("not_allowed", `Cannot make the system user "${userName}": ${made.output.trim()}`, {
      hint: `Run: useradd ${args.join(" ")}`,
    });
  return user;
}

async function findUser(): Promise<Owner | null> {
  for (const line of (await readFile("/etc/passwd", "utf8")).split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name === userName) return { uid: Number(uid), gid: Number(gid) };
  }
  return null;
}

/**
 * Makes the data directory. It belongs to who starts Alcove, because as root it holds programs that root runs; the control plane owns only the
 * folders that it writes. Gives `data_not_writable`.
 */
export async function prepareDataDirectory(data: string, owner: Owner): Promise<void> {
  try {
    await requireOwn(data);
    await mkdir(data, { recursive: true });
    if (process.getuid?.() === 0) await requireWay(await realpath(data));
    for (const folder of [
      ...["", "run", "versions", "parts"],
      ...["opt", "opt/bin", "opt/bin/init", "opt/bin/init/lib", "opt/node", "opt/node/bin"],
    ]) {
      await mkdir(join(data, folder), { recursive: true });
      await chmod(join(data, folder), 0o755);
    }
    await mkdir(join(data, "logs"), { recursive: true });
    await chmod(join(data, "logs"), 0o750);
    for (const folder of ["secrets", "postgres", "contexts", "run/postgres", "home", "opt/agents"]) {
      await mkdir(join(data, folder), { recursive: true });
      await chmod(join(data, folder), folder === "opt/agents" ? 0o755 : 0o700);
      await chown(join(data, folder), owner.uid, owner.gid);
    }
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodedError("data_not_writable", `Cannot use the data directory ${data}: ${reason}`, { cause: error });
  }
}

/** One that another user has started Alcove with stays as it is: with other owners of its files, that user could not start it any more. */
async function requireOwn(data: string): Promise<void> {
  const own = process.getuid?.();
  const owner = await stat(join(data, "versions")).then(
    ({ uid }) => uid,
    () => own,
  );
  if (owner === own) return;
  throw new CodedError("data_not_writable", `The data directory ${data} belongs to the user with the id ${owner}`, {
    hint: "Start Alcove as that user, or choose another directory with ALCOVE_DATA; workspaces move by export and import.",
  });
}

/** The control plane's user and those of boxes walk from the top to the data directory; a folder such as /root shuts them out. */
async function requireWay(data: string): Promise<void> {
  for (let folder = dirname(data); folder !== dirname(folder); folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) !== 0) continue;
    throw new CodedError(
      "data_not_writable",
      `Cannot use the data directory ${data}: only its owner may enter ${folder}`,
      {
        hint: `Choose another one with ALCOVE_DATA, as in /var/lib/alcove, or run: chmod o+x ${folder}`,
      },
    );
  }
}
