import type { Limits } from "@alcove/contract/api/workspace";
import type { BoxRecord } from "./box-record.ts";
import { defaultProcesses } from "../cgroups/cgroups.ts";
import { allowedOpenFiles } from "./open-files.ts";
import { seccompProgram } from "./seccomp-program.generated.ts";

/** Names of the Linux capabilities that root has in a box, all of them bounded by its user namespace (capabilities(7)). */
export const capabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "SETFCAP",
  "MKNOD",
  "AUDIT_WRITE",
  "NET_RAW",
].map((name) => `CAP_${name}`);

export const maskedPaths = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
export const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const defaultMemoryBytes = 2 ** 30;

/** Bytes of a box's file systems in memory, a share of its memory limit: programs that build or browse need far more than the usual 64 MB of /dev/shm. */
export function boxShares({ memoryBytes = defaultMemoryBytes * 2 }: Limits): { memory: number; run: number } {
  const memory = Math.floor(memoryBytes / 2);
  return { memory, run: Math.floor(memory / 4) };
}

/** Those file systems with their sizes in bytes. */
export function memoryFolders(limits: Limits): { path: string; bytes: number; noPrograms: boolean }[] {
  const shares = boxShares(limits);
  return [
    { path: "/dev/shm", bytes: shares.memory, noPrograms: true },
    { path: "/tmp", bytes: shares.memory, noPrograms: false },
    { path: "/run", bytes: shares.run, noPrograms: false },
  ];
}

/** What each process of a box may have (setrlimit(2)). The daemon gives programs a little less of both, so that it can still answer when they have used up theirs. */
export function processLimits({ processes = defaultProcesses, openFiles }: Limits): {
  processes: number;
  openFiles: number;
} {
  return { processes, openFiles: allowedOpenFiles(openFiles) };
}

/** Where the daemon and what its first process consists of are in a box. */
const programs = "/opt/alcove/bin";

/** The command line of a box's first process: a shell that came with the daemon, by its own loader and with its own library, whatever the box's image has (ld.so(8)). */
export function firstProcess(daemon: string, ...more: string[]): string[] {
  const init = `${programs}/init`;
  return [`${init}/alcove-init`, "--library-path", `${init}/lib`, `${init}/sh`, `${init}/init.sh`, daemon, ...more];
}

/** Where the user's programs begin. */
export const startFolder = "/workspace/user/projects";

type Bundle = {
  record: BoxRecord;
  epoch: number;
  root: string;
  userNamespace: string;
  networkNamespace: string;
  /** The box's /etc/resolv.conf. */
  resolverFile: string;
  /** True where the box has no workspace yet: its first process and its daemon wait until they hear of it. */
  blank: boolean;
};

/** The OCI runtime configuration of a box (OCI runtime-spec 1.0.2). The user and network namespace are joined, all others made. */
export function ociConfig(bundle: Bundle): unknown {
  const { record, epoch, root, userNamespace, networkNamespace, resolverFile, blank } = bundle;
  const { processes, openFiles } = processLimits(record.limits);
  const [sharedMemory, temporary, run] = memoryFolders(record.limits).map(({ path, bytes, noPrograms }) => ({
    destination: path,
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "nodev", ...(noPrograms ? ["noexec"] : []), "mode=1777", `size=${bytes}`],
  }));
  return {
    ociVersion: "1.0.2",
    hostname: record.name,
    root: { path: root, readonly: false },
    process: {
      terminal: false,
      user: { uid: 1000, gid: 1000, additionalGids: [1000] },
      args: firstProcess(`${programs}/alcove-daemon`, ...(blank ? [startFolder] : [])),
      cwd: blank ? "/" : startFolder,
      env: blank ? [] : boxEnvironment(record, epoch, null),
      // The user itself has none; these bound what sudo can give.
      capabilities: { bounding: capabilities, effective: [], permitted: [], inheritable: [], ambient: [] },
      rlimits: [
        { type: "RLIMIT_NOFILE", soft: openFiles, hard: openFiles },
        { type: "RLIMIT_NPROC", soft: processes, hard: processes },
        { type: "RLIMIT_CORE", soft: 0, hard: 0 },
      ],
      noNewPrivileges: false,
      oomScoreAdj: 100,
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
      {
        destination: "/dev",
        type: "tmpfs",
        source: "tmpfs",
        options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
      },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
      },
      sharedMemory,
      { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
      temporary,
      run,
      // Bound by crun, which follows no link of the box's out of its root.
      {
        destination: "/etc/resolv.conf",
        type: "bind",
        source: resolverFile,
        options: ["bind", "ro", "nosuid", "nodev", "noexec"],
      },
    ],
    linux: {
      namespaces: [
        { type: "user", path: userNamespace },
        { type: "network", path: networkNamespace },
        { type: "pid" },
        { type: "mount" },
        { type: "ipc" },
        { type: "uts" },
        { type: "cgroup" },
      ],
      rootfsPropagation: "private",
      maskedPaths,
      readonlyPaths,
    },
    // The compiled program, so that no box pays libseccomp's 30 ms (crun(1), run.oci.seccomp_bpf_data).
    annotations: { "run.oci.seccomp_bpf_data": seccompProgram() },
  };
}

/** What of a blank's mounts the box keeps that it becomes: all but its root and the programs in it. */
export const keptMounts = ["/proc", "/dev", "/sys", "/tmp", "/run", "/etc/resolv.conf"] as const;

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What a box's first process is told, as `NAME=value`; `path` is the image's own PATH. */
export function boxEnvironment(
  { env, workspace }: Pick<BoxRecord, "env" | "workspace">,
  epoch: number,
  path: string | null,
): string[] {
  const own = {
    PATH: `/workspace/user/home/.local/bin:${path ?? usualPath}:/opt/alcove/node/bin`,
    HOME: "/workspace/user/home",
    USER: "user",
    LOGNAME: "user",
    SHELL: "/bin/bash",
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    ...env,
    ALCOVE_WORKSPACE: workspace,
    ALCOVE_EPOCH: String(epoch),
  };
  return Object.entries(own).map(([name, value]) => `${name}=${value}`);
}
