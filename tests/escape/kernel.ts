import { closedFile, refusedCall, systemCall, type Attempt } from "./attempt.ts";

/** Address families (bits/socket.h) that no program of a workspace needs, and of which each has had its holes. */
const families: [string, number][] = [
  ["AX25", 3],
  ["KEY", 15],
  ["PACKET", 17],
  ["RDS", 21],
  ["CAN", 29],
  ["TIPC", 30],
  ["BLUETOOTH", 31],
  ["ALG", 38],
  ["VSOCK", 40],
  ["XDP", 44],
];

/** Calls and files of the kernel that act on the whole machine. */
export const kernelAttempts: Attempt[] = [
  refusedCall("keyctl", "0, -3, 0", { tried: "keyctl", why: "key rings are not part of any namespace" }),
  refusedCall("addKey", `"user", "a", "b", 1, -3`, {
    tried: "add_key",
    why: "key rings are not part of any namespace",
  }),
  refusedCall("requestKey", `"user", "a", 0, -3`, {
    tried: "request_key",
    why: "it starts a program on the host to find the key",
  }),
  refusedCall("bpf", "0, pack('Q8', 0, 0, 0, 0, 0, 0, 0, 0), 64", { tried: "bpf", why: "programs in the kernel" }),
  refusedCall("perfEventOpen", "pack('Q16', 0), 0, -1, -1, 0", {
    tried: "perf_event_open",
    why: "counters tell of other programs' secrets",
  }),
  refusedCall("userfaultfd", "0", {
    tried: "userfaultfd",
    why: "holds the kernel still in the middle of a copy, which most exploits want",
  }),
  refusedCall("ioUringSetup", "4, pack('C120')", {
    tried: "io_uring",
    why: "a second way to most system calls, past the filter",
  }),
  refusedCall("kexecLoad", "0, 0, 0, 0", { tried: "kexec", why: "another kernel for the machine" }),
  refusedCall("initModule", `"", 0, ""`, { tried: "load a kernel module", why: "code in the kernel" }),
  refusedCall("finitModule", `0, "", 0`, { tried: "load a kernel module from a file", why: "code in the kernel" }),
  refusedCall("deleteModule", `"btrfs", 0`, { tried: "unload a kernel module", why: "breaks the host" }),
  refusedCall("swapon", `"/workspace/user/home/none", 0`, {
    tried: "swapon",
    why: "memory of all programs would be readable in a file",
  }),
  refusedCall("reboot", "0xfee1dead, 672274793, 0, 0", { tried: "reboot", why: "ends the host" }),
  refusedCall("syslog", "3, pack('x64'), 64", {
    tried: "read the kernel's log",
    why: "addresses and other boxes' names are in it",
  }),
  refusedCall("quotactl", `0x800002, 0, 0, 0`, { tried: "quotactl", why: "limits of the disk could be lifted" }),
  refusedCall("acct", "0", { tried: "acct", why: "accounting of all processes of the host" }),
  refusedCall("settimeofday", "pack('q2', 1, 0), 0", { tried: "set the clock", why: "the clock is the host's" }),
  refusedCall("fanotifyInit", "0x4, 0", { tried: "fanotify", why: "watches files of others" }),
  refusedCall("personality", "0x0400000", {
    tried: "personality with ADDR_NO_RANDOMIZE and READ_IMPLIES_EXEC",
    why: "weakens programs that gain rights",
  }),
  ...families.map(([name, number]): Attempt => ({
    tried: `open a socket of family ${name}`,
    must: "there is no such family",
    why: "rare protocols are where the kernel's holes are",
    perl: `my $s; print socket($s, ${number}, SOCK_RAW, 0) || socket($s, ${number}, SOCK_STREAM, 0) || socket($s, ${number}, SOCK_DGRAM, 0) ? "done" : reason();`,
    fails: /^(?:EPERM|EACCES|EAFNOSUPPORT|EPROTONOSUPPORT|ESOCKTNOSUPPORT|EINVAL)$/,
  })),
  ...[9, 12, 16].map((protocol): Attempt => ({
    tried: `open a netlink socket of family ${protocol}`,
    must: "only ROUTE is there",
    why: "audit, netfilter and generic netlink reach far into the kernel",
    perl: `print socket(my $s, 16, SOCK_RAW, ${protocol}) ? "done" : reason();`,
    fails: /^(?:EPERM|EACCES|EAFNOSUPPORT|EPROTONOSUPPORT|EINVAL)$/,
  })),
  ...[
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/hostname",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sysrq-trigger",
    "/sys/kernel/uevent_helper",
    "/sys/fs/cgroup/release_agent",
  ].map((path) =>
    closedFile(path, ">>", { why: "settings of the whole machine; some name a program that the host would run" }),
  ),
  ...[
    ["/proc/self/uid_map", "0 0 4294967295", "the ids of the box are given once, by the host"],
    ["/proc/self/oom_score_adj", "-1000", "when memory ends, boxes go before the host's own programs"],
  ].map(([path, text, why = ""]): Attempt => ({
    tried: `write ${text} to ${path}`,
    must: "the write is refused",
    why,
    perl: `my $file; print open($file, "+<", "${path}") ? (defined syswrite($file, "${text}") ? "done" : reason()) : reason();`,
    fails: /^(?:EPERM|EACCES|EROFS)$/,
  })),
  ...[
    "/proc/kcore",
    "/proc/keys",
    "/proc/timer_list",
    "/proc/interrupts",
    "/proc/acpi/wakeup",
    "/proc/scsi/scsi",
    "/proc/kmsg",
    "/dev/kmsg",
    "/sys/kernel/debug/x86",
    "/sys/firmware/dmi/tables/DMI",
  ].map((path) => closedFile(path, "<", { why: "the machine's memory, keys or make" })),
];

/** Devices. */
export const deviceAttempts: Attempt[] = [
  ...[
    ["character device of the machine's memory", "0x2000 | 0600, (1 << 8) | 1"],
    ["block device of the first disk", "0x6000 | 0600, (8 << 8) | 0"],
  ].map(([name, mode]): Attempt => ({
    tried: `make the ${name}`,
    must: "the call is refused, or what is made does not open",
    why: "the kernel makes no devices in a user namespace",
    perl: `my $made = call(${systemCall("mknodat")}, -100, "/tmp/device-$$", ${mode}); print $made =~ /^done/ ? openFile("<", "/tmp/device-$$") : $made;`,
    fails: /^(?:EPERM|EACCES|ENOSYS|ENXIO)$/,
  })),
  ...[
    "/dev/mem",
    "/dev/kvm",
    "/dev/fuse",
    "/dev/net/tun",
    "/dev/loop-control",
    "/dev/sda",
    "/dev/vda",
    "/dev/btrfs-control",
  ].map((path) =>
    closedFile(path, "+<", {
      tried: `open ${path}`,
      why: "a box has null, zero, full, random, urandom, tty and its terminals, and no other device",
    }),
  ),
  {
    tried: "push keys into a terminal (TIOCSTI)",
    must: "there is no terminal of the host",
    why: "keys that are pushed into a shared terminal are typed by whoever owns it",
    perl: `my $tty; print open($tty, "+<", "/dev/tty") ? (ioctl($tty, 0x5412, "x") ? "done" : reason()) : reason();`,
    fails: /^(?:ENXIO|EIO|EPERM|EACCES|ENOENT)$/,
  },
];
