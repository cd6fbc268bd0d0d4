import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import type { Finding } from "@alcove/contract/api/account";
import type { CodedError } from "@alcove/contract/errors";
import { exitCodes } from "./exit-codes.ts";
import { formatFindings } from "./doctor.ts";
import type { Terminal } from "./terminal.ts";

/** What can be said about this machine while no server answers; the server itself looks closer. */
export async function diagnoseOffline(
  data: string,
  terminal: Terminal,
  { json, cause }: { json: boolean; cause: CodedError },
): Promise<number> {
  const findings = [
    {
      id: "server",
      level: "broken",
      title: "The server does not run",
      detail: cause.message,
      remedy: "npm start",
    } satisfies Finding,
    ...(await Promise.all([dataDirectoryFinding(data), namespaceFinding()])),
  ];
  terminal.write(json ? `${JSON.stringify({ findings })}\n` : formatFindings(findings));
  return exitCodes.unreachable;
}

async function dataDirectoryFinding(data: string): Promise<Finding> {
  const about = { id: "data", title: `The data directory is ${data}` };
  const fault = await access(data, constants.W_OK).then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  if (fault === null) return { ...about, level: "ok", detail: "", remedy: null };
  if (fault === "ENOENT")
    return {
      ...about,
      level: "missing",
      detail: "It is not there yet; the first start makes it.",
      remedy: "npm start",
    };
  return {
    ...about,
    level: "broken",
    detail: `This user may not write to it (${fault}).`,
    remedy: `sudo chown -R "$USER" ${data}`,
  };
}

/** The settings by which a kernel forbids user namespaces to ordinary users, each with the value that forbids. */
const forbidding = [
  { name: "user.max_user_namespaces", file: "/proc/sys/user/max_user_namespaces", forbids: "0", allows: "15000" },
  {
    name: "kernel.unprivileged_userns_clone",
    file: "/proc/sys/kernel/unprivileged_userns_clone",
    forbids: "0",
    allows: "1",
  },
  {
    name: "kernel.apparmor_restrict_unprivileged_userns",
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    forbids: "1",
    allows: "0",
  },
];

async function namespaceFinding(): Promise<Finding> {
  for (const { name, file, forbids, allows } of forbidding) {
    const value = (await readFile(file, "utf8").catch(() => "")).trim();
    const title = "User namespaces are forbidden by a setting of this machine";
    if (value === forbids)
      return {
        id: "namespaces",
        level: "broken",
        title,
        detail: `${name} is ${value}.`,
        remedy: `sudo sysctl -w ${name}=${allows}`,
      };
  }
  return { id: "namespaces", level: "ok", title: "User namespaces are allowed", detail: "", remedy: null };
}
