import type { Limits } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import type { BoxUsage } from "@alcove/contract/host";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listMounts } from "../kernel/mounts.ts";
import { SystemCallError } from "../kernel/libc.ts";
import type { Site } from "../site.ts";

/** Mount points of the cgroup hierarchies (cgroups(7)). */
type Hierarchies = {
  /** cgroup2, where boxes have groups in it. */
  unified: string | null;
  /** v1's freezer, where they have none. */
  freezer: string | null;
  pids: string | null;
  memory: string | null;
  cpu: string | null;
  cpuacct: string | null;
};

/** The file that freezes a group, what is written to it, and the file that tells 1 of a group that is frozen. */
type Freezer = { file: string; freeze: string; thaw: string; told: string };

/** How often each limit was hit since the box's groups were made; null where the host does not count. */
export type LimitCounters = { memory: number | null; processes: number | null };

export interface Cgroups {
  /** True when the processes of a box are known by their group. */
  tracks: boolean;
  /** True when processes can be counted and limited. */
  limits: boolean;
  freeze: boolean;
  /** Where cgroup2 is mounted beside v1 hierarchies: crun refuses such a host unless it is unmounted in crun's mount namespace. */
  hybridMount: string | null;
  /** Makes the box's groups with these limits; gives the files into which a process of one thread writes `0` to join. */
  create(id: string, limits: Limits): string[];
  /** True when groups can be given another name (v1 alone allows it). */
  renames: boolean;
  /** The groups of a box are those of another one from now on, which has none. */
  rename(from: string, to: string): void;
  /** Says that somebody else has put the box into groups of its own: those of this process. Asked for again by every host process. */
  place(id: string, pid: number): void;
  /** Changes the limits of a box that runs. */
  setLimits(id: string, limits: Limits): void;
  /** The file to join for a process that serves the box from outside; it is killed with the box and not frozen. */
  createOuter(id: string): string[];
  /** Kills all that is in the box's groups and removes them; repeats until they are gone. */
  destroy(id: string): Promise<void>;
  freezeBox(id: string, frozen: boolean): void;
  /** What thaws the box when it is written to a file, which this process's owner may do too; null where boxes are not frozen. */
  thawOf(id: string): { file: string; words: string } | null;
  isFrozen(id: string): boolean;
  usage(id: string): BoxUsage | null;
  /** How often the box's limits were hit since its groups were made. */
  limitCounters(id: string): LimitCounters;
  /** The last part of the path of the box's groups, as the kernel writes it. */
  nameOf(id: string): string;
  /** Processes in the box's groups. */
  processes(id: string): number[];
  /** Names of all boxes that have a group. */
  list(): string[];
}

const outerSuffix = ".net";
/** Without a limit of their own, processes of one box must not take the machine's last ones. */
export const defaultProcesses = 8_192;

/** The cgroups of this data directory, `alcove/<instance>/<id>` in every hierarchy. */
export function createCgroups({
  instance,
  privileged,
  owner,
}: Pick<Site, "instance" | "privileged" | "owner">): Cgroups {
  const hybridMount = privileged ? findHybridMount() : null;
  const hierarchies = prepare(privileged ? findHierarchies() : none, instance);
  const { unified, freezer } = hierarchies;
  const controllers = [...new Set(Object.values(hierarchies).filter((path) => path !== null))];
  const folder = (mount: string, name: string): string => `${mount}/alcove/${instance}/${name}`;
  const placed = new Map<string, Map<string, string>>();
  /** The folder of a box's own group. */
  const own = (mount: string, id: string): string => placed.get(id)?.get(mount) ?? folder(mount, id);
  const isPure = unified !== null && (hierarchies.pids === unified || hierarchies.pids === null);

  /** How the box is frozen. A group of somebody else's is so by cgroup2, which lets frozen processes be killed. */
  const freezerOf = (id: string): Freezer | null => {
    if (freezer !== null && !placed.has(id)) {
      const group = folder(freezer, id);
      return {
        file: `${group}/freezer.state`,
        freeze: "FROZEN",
        thaw: "THAWED",
        told: `${group}/freezer.self_freezing`,
      };
    }
    const cgroup2 = hybridMount ?? unified;
    if (cgroup2 === null) return null;
    const file = `${own(cgroup2, id)}/cgroup.freeze`;
    return { file, freeze: "1", thaw: "0", told: file };
  };
  /** A box is woken by the owner's own process: to ask this one takes as long as the answer. */
  const letOwnerThaw = (id: string): void => {
    const file = freezerOf(id)?.file;
    if (!privileged || file === undefined) return;
    try {
      chownSync(file, owner.uid, owner.gid);
    } catch (error) {
      // It has ended already.
      if (!isCode(error, "ENOENT")) throw error;
    }
  };

  const make = (name: string, mounts: string[]): string[] =>
    mounts.map((mount) => {
      mkdirSync(folder(mount, name), { recursive: true });
      // A thread that moves itself alone waits for no grace period of the kernel, some 10 ms for each hierarchy; cgroup2 has no such file.
      return `${folder(mount, name)}/${mount === unified ? "cgroup.procs" : "tasks"}`;
    });
  const names = (): string[] => [
    ...new Set(controllers.flatMap((mount) => listFolders(`${mount}/alcove/${instance}`))),
  ];

  const number = (path: string): number | null => {
    try {
      const value = Number(readFileSync(path, "utf8").trim());
      return Number.isFinite(value) ? value : null;
    } catch {
      return null;
    }
  };
  /** The number behind a word in a file of such lines. */
  const counted = (path: string, word: string): number | null => {
    try {
      const match = new RegExp(`^${word} ([0-9]+)$`, "m").exec(readFileSync(path, "utf8"));
      return match === null ? null : Number(match[1]);
    } catch {
      return null;
    }
  };

  /** What its programs hold: pages of files that nobody has used lately go as soon as somebody needs the room (docker-container-stats(1) counts so too). */
  const memoryUse = (at: string): number | null => {
    const [file, idle] = isPure
      ? (["memory.current", "inactive_file"] as const)
      : (["memory.usage_in_bytes", "total_inactive_file"] as const);
    const all = number(`${at}/${file}`);
    return all === null ? null : Math.max(0, all - (counted(`${at}/memory.stat`, idle) ?? 0));
  };

  const limitMemory = (id: string, memory: string, bytes: number | undefined): void => {
    const at = own(memory, id);
    const tooLow = () =>
      new CodedError(
        "limit_too_low",
        `Cannot limit memory to ${Math.floor((bytes ?? 0) / 2 ** 20)} MiB: the programs in the workspace use more`,
      );
    if (isPure) {
      // Written below what is used, the kernel would end programs until it fits.
      const free =
        (counted(`${at}/memory.stat`, "inactive_file") ?? 0) + (counted(`${at}/memory.stat`, "active_file") ?? 0);
      if (bytes !== undefined && (number(`${at}/memory.current`) ?? 0) - free > bytes) throw tooLow();
      return writeFileSync(`${at}/memory.max`, String(bytes ?? "max"));
    }
    try {
      writeFileSync(`${at}/memory.limit_in_bytes`, String(bytes ?? -1));
    } catch (error) {
      // What can be written back to disk was, and it was not enough.
      if (isCode(error, "EBUSY")) throw tooLow();
      throw error;
    }
  };

  const setLimits = (id: string, limits: Limits): void => {
    const { pids, memory, cpu } = hierarchies;
    // First what may be refused.
    if (memory !== null) {
      limitMemory(id, memory, limits.memoryBytes);
      if (isPure && existsSync(`${own(memory, id)}/memory.oom.group`))
        writeFileSync(`${own(memory, id)}/memory.oom.group`, "0");
    }
    if (pids !== null) writeFileSync(`${own(pids, id)}/pids.max`, String(limits.processes ?? defaultProcesses));
    if (cpu !== null) {
      const quota = limits.cpus === undefined ? null : Math.round(limits.cpus * 100_000);
      if (isPure) writeFileSync(`${own(cpu, id)}/cpu.max`, `${quota ?? "max"} 100000`);
      else if (existsSync(`${own(cpu, id)}/cpu.cfs_quota_us`))
        writeFileSync(`${own(cpu, id)}/cpu.cfs_quota_us`, String(quota ?? -1));
    }
  };

  const kill = (name: string): void => {
    if (unified !== null && existsSync(`${folder(unified, name)}/cgroup.kill`))
      return writeFileSync(`${folder(unified, name)}/cgroup.kill`, "1");
    // A signal waits for the thaw.
    if (freezer !== null && existsSync(folder(freezer, name)))
      writeFileSync(`${folder(freezer, name)}/freezer.state`, "THAWED");
    for (const mount of controllers) for (const pid of readPids(folder(mount, name))) killPid(pid);
  };

  const remove = (name: string): boolean => {
    let gone = true;
    for (const mount of controllers) {
      try {
        rmdirSync(folder(mount, name));
      } catch (error) {
        // EBUSY: a killed process has not left yet.
        if (!isCode(error, "ENOENT")) gone = false;
      }
    }
    return gone;
  };

  const cpuMicros = (id: string): number | null => {
    if (!isPure) {
      const nanos = hierarchies.cpuacct === null ? null : number(`${own(hierarchies.cpuacct, id)}/cpuacct.usage`);
      return nanos === null ? null : Math.round(nanos / 1_000);
    }
    return counted(`${own(unified, id)}/cpu.stat`, "usage_usec");
  };

  return {
    tracks: controllers.length > 0,
    limits: hierarchies.pids !== null && hierarchies.memory !== null,
    freeze: unified !== null || freezer !== null,
    hybridMount,
    create(id, limits) {
      const files = make(id, controllers);
      setLimits(id, limits);
      letOwnerThaw(id);
      return files;
    },
    renames: controllers.length > 0 && unified === null,
    rename(from, to) {
      for (const [name, next] of [
        [from, to],
        [from + outerSuffix, to + outerSuffix],
      ] as const)
        for (const mount of controllers)
          if (existsSync(folder(mount, name))) renameSync(folder(mount, name), folder(mount, next));
    },
    place(id, pid) {
      placed.set(id, readGroups(pid, hybridMount === null ? controllers : [...controllers, hybridMount]));
      letOwnerThaw(id);
    },
    setLimits,
    createOuter: (id) => make(`${id}${outerSuffix}`, unified === null ? controllers.slice(0, 1) : [unified]),
    async destroy(id) {
      // Whoever made those groups takes them away.
      placed.delete(id);
      for (const name of [id, `${id}${outerSuffix}`]) {
        for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
          if (!controllers.some((mount) => existsSync(folder(mount, name)))) break;
          kill(name);
          if (remove(name)) break;
          await sleep(pause);
        }
      }
    },
    freezeBox(id, frozen) {
      const box = freezerOf(id);
      if (box !== null && existsSync(box.file)) writeFileSync(box.file, frozen ? box.freeze : box.thaw);
    },
    thawOf(id) {
      const box = freezerOf(id);
      return box !== null && existsSync(box.file) ? { file: box.file, words: box.thaw } : null;
    },
    isFrozen(id) {
      const box = freezerOf(id);
      return box !== null && number(box.told) === 1;
    },
    usage(id) {
      if (controllers.length === 0) return null;
      const { memory, pids } = hierarchies;
      return {
        memoryBytes: memory === null ? null : memoryUse(own(memory, id)),
        cpuMicros: cpuMicros(id),
        processes: pids === null ? null : number(`${own(pids, id)}/pids.current`),
        networkInBytes: null,
        networkOutBytes: null,
      };
    },
    limitCounters(id) {
      const { memory, pids } = hierarchies;
      const memoryFile = isPure ? "memory.events" : "memory.oom_control";
      return {
        memory: memory === null ? null : counted(`${own(memory, id)}/${memoryFile}`, "oom_kill"),
        processes: pids === null ? null : counted(`${own(pids, id)}/pids.events`, "max"),
      };
    },
    nameOf: (id) => (hierarchies.memory === null ? id : basename(own(hierarchies.memory, id))),
    processes: (id) => (controllers[0] === undefined ? [] : readPids(own(controllers[0], id))),
    list: () => [
      ...new Set(names().map((name) => (name.endsWith(outerSuffix) ? name.slice(0, -outerSuffix.length) : name))),
    ],
  };
}

const none: Hierarchies = { unified: null, freezer: null, pids: null, memory: null, cpu: null, cpuacct: null };

function findHierarchies(): Hierarchies {
  const mounts = cgroupMounts();
  const cgroup2 = mounts.find(({ type }) => type === "cgroup2")?.target ?? null;
  const v1 = (name: string): string | null =>
    mounts.find(({ type, superOptions }) => type === "cgroup" && superOptions.includes(name))?.target ?? null;
  const controller = (name: string): string | null => {
    const own = v1(name);
    if (own !== null || cgroup2 === null) return own;
    return readFileSync(`${cgroup2}/cgroup.controllers`, "utf8").trim().split(" ").includes(name) ? cgroup2 : null;
  };
  const limiting = {
    pids: controller("pids"),
    memory: controller("memory"),
    cpu: controller("cpu"),
    cpuacct: controller("cpuacct"),
  };
  // One of the two is enough, and a box that joins cgroup2 waits for it.
  const freezer = Object.values(limiting).includes(cgroup2) ? null : v1("freezer");
  return { ...limiting, freezer, unified: freezer === null ? cgroup2 : null };
}

/** Where cgroup2 is mounted beside v1 hierarchies. */
function findHybridMount(): string | null {
  const cgroup2 = cgroupMounts().find(({ type }) => type === "cgroup2");
  return cgroup2 === undefined || cgroup2.target === "/sys/fs/cgroup" ? null : cgroup2.target;
}

function cgroupMounts() {
  return listMounts().filter(({ target }) => target.startsWith("/sys/fs/cgroup"));
}

/** Makes `alcove/<instance>` in each hierarchy and hands the controllers down; gives what of them the host lets us use. */
function prepare(hierarchies: Hierarchies, instance: string): Hierarchies {
  const { unified } = hierarchies;
  try {
    for (const mount of new Set(Object.values(hierarchies)))
      if (mount !== null) mkdirSync(`${mount}/alcove/${instance}`, { recursive: true });
  } catch (error) {
    if (isCode(error, "EROFS", "EACCES", "EPERM")) return none;
    throw error;
  }
  const wanted = (["pids", "memory", "cpu"] as const).filter(
    (name) => unified !== null && hierarchies[name] === unified,
  );
  try {
    for (const folder of wanted.length === 0 ? [] : ["", "/alcove", `/alcove/${instance}`]) {
      writeFileSync(`${unified}${folder}/cgroup.subtree_control`, wanted.map((name) => `+${name}`).join(" "));
    }
    return hierarchies;
  } catch (error) {
    // In a container the top group has processes of its own (EBUSY): boxes are known by their groups, but not limited.
    if (isCode(error, "EBUSY", "EROFS", "EACCES", "EPERM", "EOPNOTSUPP", "ENOENT", "EINVAL"))
      return { ...none, unified };
    throw error;
  }
}

/** Removes the empty folders of this data directory; those of others are left. */
export function removeInstanceFolders(instance: string): void {
  for (const mount of new Set(Object.values(findHierarchies()))) {
    for (const folder of mount === null ? [] : [`${mount}/alcove/${instance}`, `${mount}/alcove`]) {
      try {
        rmdirSync(folder);
      } catch (error) {
        if (!isCode(error, "ENOENT", "EBUSY", "ENOTEMPTY", "EROFS", "EACCES", "EPERM")) throw error;
      }
    }
  }
}

/** The group of a process in each of these hierarchies, as a folder (cgroups(7), /proc/pid/cgroup); never the hierarchy's top. */
function readGroups(pid: number, hierarchies: string[]): Map<string, string> {
  const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => /^[0-9]+:([^:]*):(\/.+)$/.exec(line));
  const mounts = listMounts().filter(({ type, target }) => type.startsWith("cgroup") && hierarchies.includes(target));
  return new Map(
    mounts.flatMap(({ target, type, superOptions }) => {
      const group = groups.find((match) =>
        type === "cgroup2"
          ? match?.[1] === ""
          : (match?.[1] ?? "").split(",").some((name) => superOptions.includes(name)),
      );
      return group?.[2] === undefined ? [] : [[target, target + group[2]]];
    }),
  );
}

function listFolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  }
}

function readPids(path: string): number[] {
  try {
    return readFileSync(`${path}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENODEV")) return [];
    throw error;
  }
}

function killPid(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!isCode(error, "ESRCH")) throw error;
  }
}

function isCode(error: unknown, ...codes: string[]): boolean {
  if (error instanceof SystemCallError) return codes.includes(error.code);
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}
