import { closeSync, openSync, writeFileSync } from "node:fs";
import { mustRun } from "../kernel/command.ts";
import { check, libc } from "../kernel/libc.ts";

/** What /etc/hosts of a box says; bound into it as one file, so a box that runs sees it when it is written again in place. */
export function writeHosts(bundle: string, name: string): string {
  const hosts = `${bundle}/hosts`;
  writeFileSync(hosts, `127.0.0.1 localhost ${name}\n::1 localhost ip6-localhost ip6-loopback\n`, { mode: 0o644 });
  return hosts;
}

/** Gives a box that runs another host name. */
export async function nameBox(init: number, bundle: string, name: string, privileged: boolean): Promise<void> {
  writeHosts(bundle, name);
  if (privileged) return setHostName(init, name);
  const script = 'printf %s "$1" > /proc/sys/kernel/hostname';
  await mustRun(["nsenter", `--uts=/proc/${init}/ns/uts`, "--", "sh", "-c", script, "sh", name]);
}

const utsNamespace = 0x0400_0000;

/**
 * Goes into the box's UTS namespace and back in one stretch (setns(2), sethostname(2)): milliseconds sooner than a process that does it. An ordinary user's host
 * process has no right to come back.
 */
function setHostName(init: number, name: string): void {
  const own = openSync("/proc/thread-self/ns/uts", "r");
  const box = openSync(`/proc/${init}/ns/uts`, "r");
  try {
    check("setns", libc.setns(box, utsNamespace));
    try {
      const bytes = Buffer.from(name);
      check("sethostname", libc.sethostname(bytes, bytes.length));
    } finally {
      check("setns", libc.setns(own, utsNamespace));
    }
  } finally {
    closeSync(own);
    closeSync(box);
  }
}
