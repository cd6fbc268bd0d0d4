import { writeFile } from "node:fs/promises";
import { mustRun } from "../kernel/command.ts";

/** What /etc/hosts of a box says; bound into it as one file, so a box that runs sees it when it is written again in place. */
export async function writeHosts(bundle: string, name: string): Promise<string> {
  const hosts = `${bundle}/hosts`;
  await writeFile(hosts, `127.0.0.1 localhost ${name}\n::1 localhost ip6-localhost ip6-loopback\n`, { mode: 0o644 });
  return hosts;
}

/** Gives a box that runs another host name. */
export async function nameBox(init: number, bundle: string, name: string): Promise<void> {
  await writeHosts(bundle, name);
  const script = 'printf %s "$1" > /proc/sys/kernel/hostname';
  await mustRun(["nsenter", `--uts=/proc/${init}/ns/uts`, "--", "sh", "-c", script, "sh", name]);
}
