import type { Finding } from "@alcove/contract/api/account";
import { existsSync, statSync } from "node:fs";
import { isTunnelOpen } from "../network/egress.ts";
import { hasNftables } from "../network/nftables.ts";
import type { Cgroups } from "../cgroups/cgroups.ts";
import { findProgram, mustRun } from "../kernel/command.ts";
import { forbiddenNamespaces } from "./forbidden-namespaces.ts";
import type { Site } from "../site.ts";
import type { Rights } from "../own-namespace.ts";
import type { Store } from "../volumes/pool.ts";

/** What this host can do for boxes, looked at again each time: a package may have been installed meanwhile. */
export type HostAbilities = {
  crun: string | null;
  /** The network rules can be set; without them there is no way out at all. */
  rules: boolean;
  egress: boolean;
  /** A device that the box's network process is given in place of a closed /dev/net/tun. */
  tunnelDevice: string | null;
};

/** Looks at the host; makes the network device for boxes where that needs root. */
export async function lookAtHost(site: Site): Promise<HostAbilities> {
  const rules = hasNftables();
  const tunnelDevice = isTunnelOpen() ? null : await makeTunnelDevice(site);
  const tunnel = isTunnelOpen() || tunnelDevice !== null;
  return {
    crun: findProgram("crun"),
    rules,
    egress: rules && tunnel && findProgram("slirp4netns") !== null,
    tunnelDevice,
  };
}

/** A node for the same device that boxes' network processes may open; null where that is not possible. */
async function makeTunnelDevice(site: Site): Promise<string | null> {
  if (!site.privileged || statSync("/dev/net/tun", { throwIfNoEntry: false }) === undefined) return null;
  const path = `${site.data}/tun`;
  if (!existsSync(path)) await mustRun(["mknod", "--mode=0666", path, "c", "10", "200"]);
  return path;
}

type Seen = {
  site: Site;
  rights: Rights;
  abilities: HostAbilities;
  cgroups: Cgroups;
  store: Store;
  limitsDisk: boolean;
};

/** Everything that `alcove doctor` says about this host, each gap with the command that mends it. */
export function hostFindings({ site, rights, abilities, cgroups, store, limitsDisk }: Seen): {
  runtime: Finding[];
  volumes: Finding[];
} {
  const forbidden = rights.kind === "none" ? rights.finding : forbiddenNamespaces(site.privileged);
  const program = (id: string, title: string, ok: boolean, detail: string, remedy: string | null): Finding => ({
    id,
    level: ok ? "ok" : "missing",
    title,
    detail: ok ? title : detail,
    remedy: ok ? null : remedy,
  });
  const sudo = site.privileged ? "" : "sudo ";
  const install = (name: string): string => `${sudo}apt-get install -y ${name}`;
  const runtime: Finding[] = [
    forbidden ?? {
      id: "user-namespaces",
      level: "ok",
      title: "User namespaces are allowed",
      detail: "Every workspace has user ids of its own.",
      remedy: null,
    },
    abilities.crun === null
      ? {
          id: "crun",
          level: "broken",
          title: "crun starts workspaces",
          detail: "crun is not installed: no workspace can start.",
          remedy: install("crun"),
        }
      : program("crun", "crun starts workspaces", true, "", ""),
    program(
      "nftables",
      "nftables keeps workspaces off private networks",
      abilities.rules,
      "nftables is not installed: workspaces have no network at all.",
      install("nftables"),
    ),
    program(
      "slirp4netns",
      "slirp4netns connects workspaces to the internet",
      findProgram("slirp4netns") !== null,
      "slirp4netns is not installed: workspaces reach no network beside the model gateway.",
      install("slirp4netns"),
    ),
  ];
  if (findProgram("slirp4netns") !== null && abilities.rules && !abilities.egress) {
    runtime.push({
      id: "tun",
      level: "missing",
      title: "/dev/net/tun is open to this user",
      detail: "/dev/net/tun is closed or missing: workspaces reach no network beside the model gateway.",
      remedy: `${sudo}chmod 0666 /dev/net/tun`,
    });
  }
  runtime.push(
    program(
      "mmdebstrap",
      "mmdebstrap builds the workspaces' own root file system",
      findProgram("mmdebstrap") !== null,
      "mmdebstrap is not installed: workspaces run over the host's programs.",
      install("mmdebstrap"),
    ),
    program(
      "cgroups",
      "Memory, processor and process limits work",
      cgroups.limits,
      "This process may not make control groups: limits are not kept.",
      site.privileged ? "mount -o remount,rw /sys/fs/cgroup" : "sudo npm start",
    ),
  );
  const pool = { root: "sudo npm start", "btrfs-progs": install("btrfs-progs"), none: null }[store.lacks ?? "none"];
  const volumes: Finding[] = [
    store.kind === "btrfs"
      ? {
          id: "snapshots",
          level: "ok",
          title: "Snapshots take no time",
          detail: "Workspaces lie on btrfs.",
          remedy: null,
        }
      : {
          id: "snapshots",
          level: "missing",
          title: "Snapshots take no time",
          detail: `Workspaces lie in plain folders, because ${store.why}: a snapshot copies every file.`,
          remedy: pool,
        },
    program(
      "disk-limits",
      "Disk limits work",
      limitsDisk,
      "A workspace may fill the disk: hard limits need btrfs and Linux 6.7.",
      store.kind === "plain" ? pool : "uname -r",
    ),
  ];
  return { runtime, volumes };
}
