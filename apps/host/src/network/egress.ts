import { CodedError } from "@alcove/contract/errors";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { plainEnvironment } from "../kernel/command.ts";
import { inGroups } from "../kernel/in-groups.ts";
import { markProcess, type ProcessMark } from "../kernel/processes.ts";
import { mappedIds } from "../boxes/id-range.ts";
import { egressDevice } from "./network-rules.ts";

export const tunnelDevice = "/dev/net/tun";
const readyDeadlineMs = 5_000;

/** True when every user may make network devices in namespaces of its own; otherwise a box's network process gets a device of ours in its place. */
export function isTunnelOpen(): boolean {
  return (statSync(tunnelDevice, { throwIfNoEntry: false })?.mode ?? 0) % 8 >= 6;
}

export type Egress = {
  workspace: string;
  /** `user` is the one that owns the network; null where that is the machine's own. */
  namespaces: { user: string | null; network: string };
  /** First of the box's ids, whose last one the way out runs as; without it, root without rights, shut into an empty file system. */
  firstId?: number;
  join: string[];
  /** By which it is found beside its workspace. */
  env?: Record<string, string>;
  /** The file in which the process is noted before it is of any use: from there a crash leaves nothing that cannot be found. */
  note: string | null;
};

/**
 * Starts the box's way out, slirp4netns, with no rights on the host; it is none of the ids inside. It outlives the host process. It is started in a mount namespace of
 * which nobody sees what its own sandbox mounts and takes away. Code: `workspace_start_failed`.
 */
export async function startEgress({
  workspace,
  namespaces,
  firstId,
  join,
  env = {},
  note,
}: Egress): Promise<ProcessMark> {
  const nobody = firstId === undefined ? null : String(firstId + mappedIds);
  const as = nobody === null ? [] : ["setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups"];
  const alone = nobody === null ? ["--enable-sandbox", "--enable-seccomp"] : [];
  const options = ["--configure", "--ready-fd", "3", "--mtu", "65520", "--disable-host-loopback", "--disable-dns"];
  const owner = namespaces.user === null ? [] : ["--userns-path", namespaces.user];
  const target = [...owner, "--netns-type", "path", namespaces.network, egressDevice];
  const slirp = [...as, "slirp4netns", ...alone, ...options, ...target];
  const [program, ...words] = inGroups(join, slirp);
  const child = spawn(program, words, {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    detached: true,
    cwd: "/",
    env: { ...plainEnvironment, ...env, ALCOVE_WORKSPACE: workspace },
  });
  child.unref();
  const mark = child.pid === undefined ? undefined : markProcess(child.pid);
  if (mark !== undefined && note !== null) writeFileSync(note, JSON.stringify(mark));
  const ready = child.stdio[3];
  if (!(ready instanceof Readable) || mark === undefined)
    throw new CodedError("workspace_start_failed", "Cannot start the workspace: slirp4netns did not start");
  return waitUntilReady(ready).then(
    () => mark,
    (error: unknown) => {
      child.kill("SIGKILL");
      throw error;
    },
  );
}

async function waitUntilReady(ready: Readable): Promise<void> {
  try {
    const [sign] = await Promise.race([
      once(ready, "data", { signal: AbortSignal.timeout(readyDeadlineMs) }),
      once(ready, "end").then(() => [null]),
    ]);
    if (sign === null)
      throw new CodedError("workspace_start_failed", "Cannot start the workspace: slirp4netns ended at once");
  } finally {
    ready.destroy();
  }
}
