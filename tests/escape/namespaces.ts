import { refusedCall, systemCall, type Attempt } from "./attempt.ts";

const newUser = "0x10000000";
const newMount = "0x00020000";
const newNet = "0x40000000";

/** Namespaces and mounts. */
export const namespaceAttempts: Attempt[] = [
  refusedCall("unshare", newUser, {
    tried: "unshare a user namespace",
    why: "in one of its own a process has all rights, and with them much more of the kernel to attack",
  }),
  refusedCall("unshare", newMount, {
    tried: "unshare a mount namespace",
    why: "masked and read-only places could be covered or uncovered",
  }),
  refusedCall("unshare", newNet, {
    tried: "unshare a network namespace",
    why: "the rules of the box's network would not hold there",
  }),
  refusedCall("clone", `${newUser} | 17, 0, 0, 0, 0`, {
    tried: "clone with a new user namespace",
    why: "the same as unshare, by another call",
  }),
  refusedCall("clone3", "pack('Q8', 0x10000000, 0, 0, 0, 17, 0, 0, 0), 64", {
    tried: "clone3 with a new user namespace",
    must: "the call does not exist",
    why: "its flags are in memory, where seccomp cannot look; libc falls back to clone",
    fails: /^ENOSYS$/,
  }),
  refusedCall("setns", "0, 0", { tried: "setns", why: "no process may join namespaces that it was not born in" }),
  refusedCall("mount", `"none", "/tmp", "tmpfs", 0, 0`, {
    tried: "mount a tmpfs",
    why: "no mount may cover what the box was given",
  }),
  refusedCall("mount", `"none", "/tmp", "proc", 0, 0`, {
    tried: "mount a fresh /proc",
    why: "a fresh one has nothing masked",
  }),
  refusedCall("mount", `"none", "/tmp", "cgroup", 0, "memory"`, {
    tried: "mount cgroup v1",
    why: "release_agent there runs a program on the host",
  }),
  refusedCall("mount", `"none", "/tmp", "cgroup2", 0, 0`, { tried: "mount cgroup v2", why: "limits could be lifted" }),
  refusedCall("mount", `"none", "/", "", 0x20, 0`, {
    tried: "remount /",
    why: "read-only places would become writable",
  }),
  refusedCall("umount2", `"/proc/kcore", 2`, {
    tried: "take a mask from /proc away",
    why: "masks hide the host's memory and keys",
  }),
  refusedCall("fsopen", `"tmpfs", 0`, { tried: "fsopen", why: "mounts by the newer calls are mounts as well" }),
  refusedCall("openTree", `-100, "/", 1`, {
    tried: "open_tree with a clone",
    why: "a detached copy of a tree has no masks",
  }),
  refusedCall("moveMount", `0, "", -100, "/tmp", 4`, {
    tried: "move_mount",
    why: "mounts by the newer calls are mounts as well",
  }),
  refusedCall("mountSetattr", `-100, "/", 0, pack('Q4', 0, 1, 0, 0), 32`, {
    tried: "mount_setattr",
    why: "would make read-only mounts writable",
  }),
  refusedCall("pivotRoot", `"/", "/"`, { tried: "pivot_root", why: "the root is the border of what a box sees" }),
  refusedCall("openByHandleAt", `0, pack('L2Q', 8, 1, 2), 0`, {
    tried: "open_by_handle_at",
    why: "a guessed handle opens any file of the file system, also outside the box's part of it",
  }),
  {
    tried: "chroot twice and climb out",
    must: "the climber stays below the box's root",
    why: "the classic way out of a chroot; here the root is a mount of its own, so nothing is above it",
    by: "root",
    perl: `mkdir "/tmp/jail"; chroot "/tmp/jail"; chdir ".." for 1 .. 64; chroot "."; print -e "/opt/alcove/bin/alcove-daemon" && !-e "/etc/alcove-host-canary" ? "inside" : "outside";`,
    fails: /^inside$/,
  },
  {
    tried: "look through /proc/1/root",
    must: "it is the box's own root, or closed",
    why: "process 1 of the box is not process 1 of the host",
    perl: `my @names = glob("/proc/1/root/*"); print scalar(grep { m{/etc$} } @names) ? (-e "/proc/1/root/etc/alcove-host-canary" ? "host" : "own") : "closed";`,
    fails: /^(?:own|closed)$/,
  },
  {
    tried: "use a descriptor that was left open across exec",
    must: "no descriptor leads out of the box",
    why: "a folder of the host that stays open at the start is a door (CVE-2024-21626)",
    perl: `my @out; for my $pid (map { m{(\\d+)} } glob("/proc/[0-9]*")) { for my $fd (glob("/proc/$pid/fd/*")) { my $to = readlink($fd) // next; push @out, $to if $to =~ m{^/} && $to !~ m{^/(?:dev|proc|sys|tmp|run|workspace|opt/alcove|usr|lib|etc|var|home|root|bin)\\b} && $to ne "/"; } } print @out ? "@out" : "none";`,
    fails: /^none$/,
  },
  {
    tried: `run a 32-bit program that calls unshare by int 0x80`,
    must: "it is killed, refused or cannot be run",
    why: "a filter that only knows the 64-bit numbers would let the other entry through",
    perl: `print("not here"), exit if qx(uname -m) !~ /x86_64/; my $code = pack("H*", "b836010000bb00000010cd8089c3b801000000cd80"); my $head = pack("H*", "7f454c460101010000000000000000000200030001000000") . pack("L", 0x08048054) . pack("L", 52) . pack("L2", 0, 0) . pack("S6", 52, 32, 1, 0, 0, 0); my $part = pack("L8", 1, 0, 0x08048000, 0x08048000, 84 + length $code, 84 + length $code, 5, 4096); open(my $file, ">", "/workspace/user/home/small-$$") or die; print $file $head . $part . $code; close $file; chmod 0755, "/workspace/user/home/small-$$"; my $end = system("/workspace/user/home/small-$$"); unlink "/workspace/user/home/small-$$"; print $end == 0 ? "done" : "refused";`,
    fails: /^(?:refused|not here)$/,
  },
  {
    tried: "call unshare by an x32 number",
    must: "the call does not exist, or its caller is killed",
    why: "the third entry of an x86 kernel has numbers of its own",
    perl: `print("not here"), exit if qx(uname -m) !~ /x86_64/; my $child = fork; if ($child == 0) { exit(call(0x40000000 + ${systemCall("unshare")}, ${newUser}) =~ /^done/ ? 7 : 0); } waitpid $child, 0; print $? >> 8 == 7 ? "done" : "refused";`,
    fails: /^(?:refused|not here)$/,
  },
];
