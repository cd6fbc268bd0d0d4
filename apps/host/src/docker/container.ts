import type Docker from "dockerode";
import {
  boxEnvironment,
  boxShares,
  capabilities,
  firstProcess,
  maskedPaths,
  readonlyPaths,
  startFolder,
} from "../boxes/bundle.ts";
import type { BoxRecord } from "../boxes/box-record.ts";
import { allowedOpenFiles } from "../boxes/open-files.ts";
import { defaultProcesses } from "../cgroups/cgroups.ts";
import type { ImageFacts } from "./image-facts.ts";
import { insideLink, insidePrograms } from "./programs.ts";
import { seccompProfile } from "./seccomp-profile.generated.ts";

/** Label of all containers of a data directory; its value is the site's instance. */
export const instanceLabel = "alcove.instance";
export const workspaceLabel = "alcove.workspace";

/** Root in a container is root of the machine where Docker maps no ids: what is not needed for packages and sudo is dropped (capabilities(7)). */
const dropped = ["CAP_NET_RAW", "CAP_MKNOD"];

type Container = {
  record: BoxRecord;
  instance: string;
  name: string;
  image: string;
  facts: ImageFacts;
  /** What user 0 of the container is on the machine. */
  firstId: number;
  /** Folders and files of the host with their places in the box. */
  mounts: { from: string; to: string; readOnly: boolean }[];
};

/** What Docker is told of a box: no privileges, no network, no device and no socket of the host (Docker Engine API, `/containers/create`). */
export function containerOptions({
  record,
  instance,
  name,
  image,
  facts,
  firstId,
  mounts,
}: Container): Docker.ContainerCreateOptions {
  const shares = boxShares(record.limits);
  const processes = record.limits.processes ?? defaultProcesses;
  const openFiles = allowedOpenFiles(record.limits.openFiles);
  const own = facts.ownLibraries ? { LD_LIBRARY_PATH: `${insidePrograms}/lib` } : {};
  const env = boxEnvironment(
    { workspace: record.workspace, env: { ...facts.env, SHELL: facts.shell, ...record.env } },
    record.epoch,
    facts.path,
  );
  const hostConfig: Docker.HostConfig & { CgroupnsMode: "private" } = {
    NetworkMode: "none",
    IpcMode: "private",
    CgroupnsMode: "private",
    Privileged: false,
    ReadonlyRootfs: true,
    RestartPolicy: { Name: "no" },
    CapDrop: ["ALL"],
    CapAdd: capabilities.filter((capability) => !dropped.includes(capability)),
    SecurityOpt: [`seccomp=${seccompProfile}`, ...(facts.sudo ? [] : ["no-new-privileges:true"])],
    MaskedPaths: maskedPaths,
    // Where control groups of the first version are mounted, the folder that holds them is a file system of its own.
    ReadonlyPaths: [...readonlyPaths, "/sys/fs/cgroup"],
    OomScoreAdj: 100,
    Ulimits: [
      { Name: "nofile", Soft: openFiles, Hard: openFiles },
      { Name: "core", Soft: 0, Hard: 0 },
      // The kernel counts it by user and user namespace: without one of its own a box would count with all others, and with the machine's user 1000.
      ...(firstId === 0 ? [] : [{ Name: "nproc", Soft: processes, Hard: processes }]),
    ],
    ...containerLimits(record),
    ShmSize: shares.memory,
    Tmpfs: {
      "/tmp": `exec,nosuid,nodev,mode=1777,size=${shares.memory}`,
      "/run": `exec,nosuid,nodev,mode=1777,size=${shares.run}`,
    },
    LogConfig: { Type: "json-file", Config: { "max-size": "4m", "max-file": "1" } },
    Mounts: mounts.map(({ from, to, readOnly }) => ({
      Type: "bind",
      Source: from,
      Target: to,
      ReadOnly: readOnly,
      BindOptions: { Propagation: "rprivate" },
    })),
  };
  return {
    name,
    Image: image,
    Hostname: record.name,
    User: "1000:1000",
    WorkingDir: startFolder,
    Entrypoint: firstProcess(`${facts.ownLibraries ? insidePrograms : "/opt/alcove"}/bin/alcove-daemon`),
    Cmd: [],
    Env: [...env, ...Object.entries({ ...own, ALCOVE_LINK: insideLink }).map(([key, value]) => `${key}=${value}`)],
    Labels: { [instanceLabel]: instance, [workspaceLabel]: record.workspace },
    Healthcheck: { Test: ["NONE"] },
    StopSignal: "SIGTERM",
    HostConfig: hostConfig,
  };
}

/** The limits that Docker keeps, for a container that is made and for one that runs. */
export function containerLimits({ limits }: Pick<BoxRecord, "limits">) {
  return {
    Memory: limits.memoryBytes ?? 0,
    // As on the embedded runtime: what the host swaps out does not count.
    MemorySwap: -1,
    CpuPeriod: 100_000,
    CpuQuota: limits.cpus === undefined ? -1 : Math.round(limits.cpus * 100_000),
    PidsLimit: limits.processes ?? defaultProcesses,
  };
}
