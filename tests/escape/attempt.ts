/** One way out of a box that is tried from inside it. */
export interface Attempt {
  /** What is tried, in a few words. */
  tried: string;
  /** What must happen, in words. */
  must: string;
  /** Why that keeps the host and the other boxes safe. */
  why: string;
  /** The body of a Perl program: every Debian has Perl, and it calls the kernel directly. It prints one line. */
  perl: string;
  /** The lines that mean that the attempt has failed. */
  fails: RegExp;
  /** Who tries; both when it is left out. */
  by?: "root" | "user";
}

/** Numbers of system calls: x86_64 (arch/x86/entry/syscalls/syscall_64.tbl), arm64 (include/uapi/asm-generic/unistd.h). */
const numbers = {
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivotRoot: [155, 41],
  openByHandleAt: [304, 265],
  keyctl: [250, 219],
  addKey: [248, 217],
  requestKey: [249, 218],
  bpf: [321, 280],
  perfEventOpen: [298, 241],
  userfaultfd: [323, 282],
  ioUringSetup: [425, 425],
  kexecLoad: [246, 104],
  initModule: [175, 105],
  finitModule: [313, 273],
  deleteModule: [176, 106],
  swapon: [167, 224],
  reboot: [169, 142],
  syslog: [103, 116],
  quotactl: [179, 60],
  acct: [163, 89],
  settimeofday: [164, 170],
  fanotifyInit: [300, 262],
  personality: [135, 92],
  fsopen: [430, 430],
  openTree: [428, 428],
  moveMount: [429, 429],
  mountSetattr: [442, 442],
  clone: [56, 220],
  clone3: [435, 435],
  ptrace: [101, 117],
  processVmReadv: [310, 270],
  pidfdOpen: [434, 434],
  pidfdGetfd: [438, 438],
  mknodat: [259, 33],
} as const;

/** The number of a system call on this machine. */
export function systemCall(name: keyof typeof numbers): number {
  return numbers[name][process.arch === "arm64" ? 1 : 0];
}

/** A call that must give an error; its line is the error's name, or `done`. */
export function refusedCall(
  name: keyof typeof numbers,
  parameters: string,
  row: Pick<Attempt, "tried" | "why"> & Partial<Attempt>,
): Attempt {
  return {
    must: "the call is refused",
    perl: `print call(${[systemCall(name), parameters].filter((part) => part !== "").join(", ")});`,
    fails: /^(?:EPERM|EACCES|ENOSYS)$/,
    ...row,
  };
}

/** A file that must not open for writing, or at all; its line is the error's name, or `done`. */
export function closedFile(
  path: string,
  how: "<" | ">>" | "+<",
  row: Pick<Attempt, "why"> & Partial<Attempt>,
): Attempt {
  return {
    tried: `${how === "<" ? "read" : "write"} ${path}`,
    must: "it does not open, or has nothing in it",
    perl: `print openFile("${how}", "${path}");`,
    fails: /^(?:EPERM|EACCES|ENOENT|EROFS|ENXIO|ENODEV|EIO|EINVAL|empty)$/,
    ...row,
  };
}

/** What all programs begin with. */
export const prelude = `
use strict; use warnings; use Errno; use Socket;
sub reason { my ($name) = sort grep { $!{$_} } keys %!; return $name // "error " . ($! + 0); }
sub call { my ($number, @given) = @_; my $answer = syscall($number, @given); return $answer == -1 ? reason() : "done $answer"; }
sub openFile {
  my ($how, $path) = @_;
  open(my $file, $how, $path) or return reason();
  if ($how eq "<") { my $read = sysread($file, my $bytes, 16); return defined $read ? ($read == 0 || $bytes !~ /[^\\0]/ ? "empty" : "done") : reason(); }
  return "done";
}
sub run { my $text = qx(@_ 2>&1); $text =~ s/\\s+/ /g; return length $text ? $text : "nothing"; }
sub connectTo {
  my ($family, $address, $port) = @_;
  socket(my $socket, $family, SOCK_STREAM, 0) or return reason();
  my $name = $family == AF_INET6 ? Socket::pack_sockaddr_in6($port, Socket::inet_pton(AF_INET6, $address)) : Socket::pack_sockaddr_in($port, Socket::inet_aton($address));
  local $SIG{ALRM} = sub { die "late" };
  my $answer = eval { alarm 5; connect($socket, $name) or do { alarm 0; return reason(); }; my $read = sysread($socket, my $bytes, 64); alarm 0; return $read ? $bytes : "no answer"; };
  alarm 0;
  return $answer // "ETIMEDOUT";
}
`;
