import { CodedError } from "@alcove/contract/errors";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { plainEnvironment } from "../kernel/command.ts";
import { inGroups } from "../kernel/in-groups.ts";
import { listenOnUnixSocket } from "../kernel/listen-socket.ts";
import { markProcess, type ProcessMark } from "../kernel/processes.ts";
import { boxPaths, type Site } from "../site.ts";
import type { BoxRecord } from "./box-record.ts";

export type Launch = {
  site: Site;
  record: BoxRecord;
  config: unknown;
  join: string[];
  crun: string;
  /** Descriptors from which a blank's first process and its daemon hear what they are; none for others. */
  lines: number[];
};

/**
 * Starts the bundle's first process with crun, which joins no control groups itself, and gives its mark. Nothing of it hangs on the host process: crun detaches it, its log is a file, and the
 * listening socket is its own. Code: `workspace_start_failed`.
 */
export async function launchBox({ site, record, config, join, crun, lines }: Launch): Promise<ProcessMark> {
  const id = record.workspace;
  const paths = boxPaths(site, id);
  const pidFile = `${paths.bundle}/pid`;
  const crunLog = `${paths.bundle}/crun.log`;
  writeFileSync(`${paths.bundle}/config.json`, JSON.stringify(config), { mode: 0o600 });
  const crunOptions = ["--root", paths.runtimeState, "--cgroup-manager=disabled", "--log", crunLog];
  const runOptions = [
    "--detach",
    "--preserve-fds",
    String(1 + lines.length),
    "--bundle",
    paths.bundle,
    "--pid-file",
    pidFile,
  ];
  const run = [crun, ...crunOptions, "run", ...runOptions, id];
  mkdirSync(dirname(paths.log), { recursive: true, mode: 0o700 });
  const log = openSync(paths.log, "a", 0o600);
  const socket = listenOnUnixSocket(paths.socket, site.owner);
  try {
    const [program, ...parameters] = inGroups(join, run);
    const child = spawn(program, parameters, {
      stdio: ["ignore", log, log, socket, ...lines],
      detached: true,
      cwd: "/",
      env: { ...plainEnvironment, ALCOVE_WORKSPACE: id },
    });
    await once(child, "exit");
    if (child.exitCode !== 0) {
      const words = existsSync(crunLog) ? readFileSync(crunLog, "utf8") : "";
      throw new CodedError(
        "workspace_start_failed",
        `Cannot start the workspace: crun ended with ${child.exitCode ?? child.signalCode}: ${words.trim().slice(-500)}`,
      );
    }
  } finally {
    closeSync(log);
    closeSync(socket);
  }
  const mark = markProcess(Number(readFileSync(pidFile, "utf8")));
  if (mark === undefined)
    throw new CodedError("workspace_start_failed", "Cannot start the workspace: its first process ended at once");
  return mark;
}
