import { CodedError } from "@alcove/contract/errors";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { Readable } from "node:stream";
import { plainEnvironment } from "../kernel/command.ts";
import { markProcess, type ProcessMark } from "../kernel/processes.ts";
import { mappedIds } from "../boxes/id-range.ts";
import type { BoxNamespaces } from "../boxes/namespaces.ts";
import { egressDevice } from "./network-rules.ts";

const tunnelDevice = "/dev/net/tun";
const readyDeadlineMs = 5_000;

/** True when every user may make network devices in namespaces of its own; otherwise a box's network process gets a device of ours in its place. */
export function isTunnelOpen(): boolean {
  return (statSync(tunnelDevice, { throwIfNoEntry: false })?.mode ?? 0) % 8 >= 6;
}

type Egress = {
  workspace: string;
  namespaces: BoxNamespaces;
  firstId: number;
  join: string[];
  device: string | null;
  note: (mark: ProcessMark) => Promise<void>;
};

/**
 * Starts the box's way out, slirp4netns, as the box's last id: it has no rights on the host and is none of the ids inside. It outlives the host process.
 * Code: `workspace_start_failed`.
 */
export async function startEgress({ workspace, namespaces, firstId, join, device, note }: Egress): Promise<void> {
  const nobody = String(firstId + mappedIds);
  const script = [
    "set -e",
    ...join.map((_, index) => `echo 0 > "\${${index + 1}}"`),
    `shift ${join.length}`,
    ...(device === null ? [] : [`mount --bind "$1" ${tunnelDevice}`, "shift"]),
    'exec "$@"',
  ].join("\n");
  const asNobody = ["setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups"];
  const options = ["--configure", "--ready-fd", "3", "--mtu", "65520", "--disable-host-loopback", "--disable-dns"];
  const target = ["--userns-path", namespaces.user, "--netns-type", "path", namespaces.network, egressDevice];
  const slirp = [...asNobody, "slirp4netns", ...options, ...target];
  const shell = ["sh", "-c", script, "sh", ...join, ...(device === null ? [] : [device]), ...slirp];
  // A mount namespace of its own only where something is mounted in it.
  const whole = device === null ? shell : ["unshare", "--mount", "--propagation", "private", "--", ...shell];
  const [program = "", ...parameters] = whole;
  const child = spawn(program, parameters, {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    detached: true,
    cwd: "/",
    env: { ...plainEnvironment, ALCOVE_WORKSPACE: workspace },
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
