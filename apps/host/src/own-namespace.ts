import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import type { Finding } from "@alcove/contract/api/account";
import { idsPerBox } from "./boxes/id-range.ts";
import { forbiddenNamespaces } from "./capabilities/forbidden-namespaces.ts";
import { writeFileAtomically } from "./kernel/atomic-file.ts";
import { findProgram, plainEnvironment, runCommand } from "./kernel/command.ts";
import { check, cString, libc } from "./kernel/libc.ts";
import { isAlive, markProcess, type ProcessMark } from "./kernel/processes.ts";
import { ptr } from "bun:ffi";

/** With what rights the host process works: root's, those of root in a user namespace of its own user, or none that could start a box. */
export type Rights = { kind: "root" } | { kind: "namespace" } | { kind: "none"; finding: Finding };

const insideMark = "ALCOVE_HOST_NAMESPACE";

/**
 * As an ordinary user, continues this program as root of a user and mount namespace in which the user's sub-ids are mapped (user_namespaces(7)). A small process holds
 * the namespace, so that the next host process finds the same one: only there it has rights over the boxes that still run.
 */
export async function takeRights(data: string): Promise<Rights> {
  if (process.env[insideMark] === "1") return { kind: "namespace" };
  if (process.geteuid?.() === 0) return { kind: "root" };
  const forbidden = forbiddenNamespaces(false);
  if (forbidden !== null) return { kind: "none", finding: forbidden };
  const name = (await runCommand(["id", "-un"])).stdout.trim();
  const users = subordinateRange("/etc/subuid", name);
  const groups = subordinateRange("/etc/subgid", name);
  if (findProgram("newuidmap") === null) {
    return none(
      "newuidmap is not installed: this user cannot use the ids that belong to it.",
      "sudo apt-get install -y uidmap",
    );
  }
  if (users === null || groups === null) {
    return none(
      `/etc/subuid or /etc/subgid gives "${name}" no ${idsPerBox} ids of its own.`,
      `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}`,
    );
  }
  mkdirSync(`${data}/run`, { recursive: true });
  const file = `${data}/run/namespace.json`;
  const holder = readHolder(file) ?? (await startHolder(users, groups));
  if (typeof holder === "string") return none(`The user namespace was not made: ${holder}`, "alcove doctor");
  await writeFileAtomically(file, JSON.stringify(holder));
  const nsenter = findProgram("nsenter") ?? "nsenter";
  execute(nsenter, [
    "--target",
    String(holder.pid),
    "--user",
    "--mount",
    "--preserve-credentials",
    "--",
    process.execPath,
    ...process.argv.slice(1),
  ]);
}

/** Ends the process that holds the namespace; the namespace itself goes with the last process in it. */
export function releaseNamespace(data: string): void {
  const holder = readHolder(`${data}/run/namespace.json`);
  if (holder !== null) process.kill(holder.pid, "SIGKILL");
}

function none(detail: string, remedy: string): Rights {
  return {
    kind: "none",
    finding: {
      id: "user-namespaces",
      level: "broken",
      title: "This user may run workspaces",
      detail: `Workspaces cannot start: ${detail}`,
      remedy,
    },
  };
}

function readHolder(file: string): ProcessMark | null {
  try {
    const mark = z
      .object({ pid: z.number().int(), startTicks: z.string(), boot: z.string() })
      .parse(JSON.parse(readFileSync(file, "utf8")));
    return isAlive(mark) ? mark : null;
  } catch {
    // Missing or unreadable means the same: there is no holder to go to.
    return null;
  }
}

function subordinateRange(file: string, name: string): { first: number } | null {
  try {
    const lines = readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
    const own = lines.find(
      ([user, , count]) => (user === name || user === String(process.getuid?.())) && Number(count) >= idsPerBox,
    );
    return own === undefined ? null : { first: Number(own[1]) };
  } catch {
    return null;
  }
}

/** The holder's mark, or why there is none. In its mount namespace /mnt is a place to put boxes together, and crun sees no cgroups that it could not use. */
async function startHolder(users: { first: number }, groups: { first: number }): Promise<ProcessMark | string> {
  const script =
    "echo; read go; mount -t tmpfs -o mode=755 tmpfs /mnt; mount -t tmpfs tmpfs /sys/fs/cgroup; echo; exec sleep infinity </dev/null >/dev/null";
  const child = spawn("unshare", ["--user", "--mount", "--propagation", "private", "--", "sh", "-c", script], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    cwd: "/",
    env: plainEnvironment,
  });
  const next = async (): Promise<boolean> => {
    const answer = await Promise.race([once(child.stdout, "data"), once(child, "exit").then(() => null)]);
    return answer !== null;
  };
  const { pid } = child;
  if (pid === undefined || !(await next())) return "unshare was refused";
  for (const [program, own, range] of [
    ["newuidmap", process.getuid?.() ?? 0, users],
    ["newgidmap", process.getgid?.() ?? 0, groups],
  ] as const) {
    const { exitCode, stderr } = await runCommand([
      program,
      String(pid),
      "0",
      String(own),
      "1",
      "1",
      String(range.first),
      String(idsPerBox),
    ]);
    if (exitCode !== 0) {
      child.kill("SIGKILL");
      return stderr.trim();
    }
  }
  child.stdin.write("go\n");
  const ready = await next();
  child.unref();
  return (ready ? markProcess(pid) : undefined) ?? "its holder ended at once";
}

/** Goes on as another program, with the same pid (execv(3)). */
function execute(program: string, parameters: string[]): never {
  const strings = [program, ...parameters].map((text) => cString(text));
  const pointers = new BigUint64Array(strings.length + 1);
  for (const [index, text] of strings.entries()) pointers[index] = BigInt(ptr(text));
  check("setenv", libc.setenv(cString(insideMark), cString("1"), 1));
  check("execv", libc.execv(cString(program), new Uint8Array(pointers.buffer)));
  throw new Error("execv came back");
}
