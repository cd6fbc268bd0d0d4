import { CodedError } from "@alcove/contract/errors";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { Readable } from "node:stream";
import { plainEnvironment } from "../kernel/command.ts";
import { markProcess, type ProcessMark } from "../kernel/processes.ts";
import { mappedIds } from "../boxes/id-range.ts";
import { egressDevice } from "./network-rules.ts";

const tunnelDevice = "/dev/net/tun";
const readyDeadlineMs = 5_000;

/** True when every user may make network devices in namespaces of its own; otherwise a box's network process gets a device of ours in its place. */
export function isTunnelOpen(): boolean {
  return (statSync(tunnelDevice, { throwIfNoEntry: false })?.mode ?? 0) % 8 >= 6;
}

type Egress = {
  workspace: string;
  /** `user` is the one that owns the network; null where that is the machine's own. */
  namespaces: { user: string | null; network: string };
  /** First of the box's ids, whose last one the way out runs as; without it, root without rights, shut into an empty file system. */
  firstId?: number;
  join: string[];
  /** A device that is put in the place of a closed one. */
  device?: string | null;
  /** By which it is found beside its workspace. */
  env?: Record<string, string>;
  note: (mark: ProcessMark) => Promise<void>;
};

/**
 * Starts the box's way out, slirp4netns, with no rights on the host; it is none of the ids inside. It outlives the host process. Code: `workspace_start_failed`.
 */
export async function startEgress({
  workspace,
  namespaces,
  firstId,
  join,
  device = null,
  env = {},
  note,
}: Egress): Promise<void> {
  const script = [
    "set -e",
    ...join.map((_, index) => `echo 0 > "\${${index + 1}}"`),
    `shift ${join.length}`,
    ...(device === null ? [] : [`mount --bind "$1" ${tunnelDevice}`, "shift"]),
    'exec "$@"',
  ].join("\n");
  const nobody = firstId === undefined ? null : String(firstId + mappedIds);
  const as = nobody === null ? [] : ["setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups"];
  const alone = nobody === null ? ["--enable-sandbox", "--enable-seccomp"] : [];
  const options = ["--configure", "--ready-fd", "3", "--mtu", "65520", "--disable-host-loopback", "--disable-dns"];
  const owner = namespaces.user === null ? [] : ["--userns-path", namespaces.user];
  const target = [...owner, "--netns-type", "path", namespaces.network, egressDevice];
  const slirp = [...as, "slirp4netns", ...alone, ...options, ...target];
  const shell = ["sh", "-c", script, "sh", ...join, ...(device === null ? [] : [device]), ...slirp];
  // A mount namespace of its own only where something is mounted in it; slirp4netns's own sandbox takes mounts away, and those that are shared would go everywhere.
  const whole =
    device === null && nobody !== null ? shell : ["unshare", "--mount", "--propagation", "private", "--", ...shell];
  const [program = "", ...parameters] = whole;
  const child = spawn(program, parameters, {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    detached: true,
    cwd: "/",
    env: { ...plainEnvironment, ...env, ALCOVE_WORKSPACE: workspace },
  });
  child.unref();
  const ready = child.stdio[3];
  const mark = child.pid === undefined ? undefined : markProcess(child.pid);
  if (!(ready instanceof Readable) || mark === undefined)
    throw new CodedError("workspace_start_failed", "Cannot start the workspace: slirp4netns did not start");
  try {
    // Stored before it is of any use: from here a crash leaves nothing that cannot be found.
    await note(mark);
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
