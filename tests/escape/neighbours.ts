import type { Attempt } from "./attempt.ts";

/** What the neighbour's box holds; the table looks for each of it. */
export const neighbourScript = `
perl -e '
  use Socket; $| = 1;
  socket(my $s, AF_UNIX, SOCK_STREAM, 0); bind($s, pack("S a*", AF_UNIX, "\\0alcove-neighbour")) or die; listen($s, 5);
  shmget(4711, 4096, 01666) // die; msgget(4711, 01666) // die;
  open(my $f, ">", "/dev/shm/alcove-neighbour"); print $f "secret"; close $f;
  open(my $t, ">", "/tmp/alcove-neighbour"); print $t "secret"; close $t;
  $0 = "alcove-neighbour-process";
  open(my $p, ">", "/workspace/user/projects/ready"); close $p;
  sleep 3600 while 1;
' > /dev/null 2>&1 &
until test -e /workspace/user/projects/ready; do sleep 0.02; done
`;

/** Other boxes and the host's processes, of which some numbers are given. */
export const neighbourAttempts = (hostPids: number[]): Attempt[] => [
  {
    tried: "find the neighbour's processes in /proc",
    must: "there are none",
    why: "each box has a process namespace of its own",
    perl: `my $found = 0; for my $file (glob("/proc/[0-9]*/cmdline")) { open(my $f, "<", $file) or next; local $/; my $words = <$f> // ""; $found++ if $words =~ /^alcove-neighbour-process/; } print $found;`,
    fails: /^0$/,
  },
  {
    tried: "signal processes of the host by their numbers",
    must: "none of them is there",
    why: "numbers in a box are the box's own",
    perl: `my $hit = 0; for my $pid (${hostPids.join(", ")}) { next if -e "/proc/$pid"; $hit++ if kill(0, $pid); } print $hit;`,
    fails: /^0$/,
  },
  {
    tried: "find a process with more rights than the box has, to trace it",
    must: "every process of the box has the box's own ids and namespaces",
    why: "a helper of the host inside the box could be traced, and would lend its rights",
    by: "root",
    perl: `my $own = readlink("/proc/self/ns/user"); my @odd = grep { my $ns = readlink("/proc/$_/ns/user"); defined $ns && $ns ne $own } map { m{(\\d+)} } glob("/proc/[0-9]*"); my @capable = grep { open(my $f, "<", "/proc/$_/status") or next; local $/; (<$f> // "") =~ /^CapBnd:\\s*(\\w+)/m && hex($1) & ~hex("a80425fb") } map { m{(\\d+)} } glob("/proc/[0-9]*"); print @odd || @capable ? "odd: @odd @capable" : "none";`,
    fails: /^none$/,
  },
  {
    tried: "connect to Docker's socket, wherever it may be",
    must: "there is none",
    why: "whoever may speak to Docker is root on the host",
    perl: `my @found = grep { -e $_ } map { ("$_/docker.sock", "$_/containerd/containerd.sock", "$_/host.sock") } "/run", "/var/run", "/tmp", "/workspace", "/run/alcove", "/run/alcove/link"; print @found ? "@found" : "none";`,
    fails: /^none$/,
  },
  {
    tried: "connect to the neighbour's abstract socket",
    must: "nobody listens",
    why: "abstract sockets belong to the network namespace",
    perl: `socket(my $s, AF_UNIX, SOCK_STREAM, 0); print connect($s, pack("S a*", AF_UNIX, "\\0alcove-neighbour")) ? "done" : reason();`,
    fails: /^ECONNREFUSED$/,
  },
  {
    tried: "attach the neighbour's System V memory and queue",
    must: "there are none",
    why: "each box has an IPC namespace of its own",
    perl: `my @got = grep { defined } shmget(4711, 4096, 0), msgget(4711, 0); print @got ? "done" : reason();`,
    fails: /^ENOENT$/,
  },
  {
    tried: "read the neighbour's shared memory, temporary files and POSIX queues",
    must: "the places are the box's own",
    why: "each box has its own /dev/shm, /tmp and /dev/mqueue",
    perl: `print join " ", map { -e $_ ? "there" : "none" } "/dev/shm/alcove-neighbour", "/tmp/alcove-neighbour"; print scalar(glob("/dev/mqueue/*")) ? " queue" : "";`,
    fails: /^none none$/,
  },
  {
    tried: "find the folder of all volumes by guessed paths",
    must: "nothing of the store is in the box",
    why: "a box is given its own volume, not the folder of volumes",
    perl: `my @found = grep { -e $_ } map { ("$_/pool/workspaces", "$_/volumes/workspaces", "$_/boxes") } "", "/data", "/var/lib/alcove", "/workspace", "/workspace/..", "/opt/alcove/..", "/run/alcove"; print @found ? "@found" : "none";`,
    fails: /^none$/,
  },
  {
    tried: "write to the programs that all boxes share",
    must: "they are read-only",
    why: "a changed agent would run in every other box",
    perl: `my @done = grep { $_ eq "done" } openFile(">>", "/opt/alcove/bin/alcove-daemon"), openFile(">", "/opt/alcove/mine"), (rename("/opt/alcove/bin", "/opt/alcove/bin2") ? "done" : reason()), (chmod(0777, "/opt/alcove/bin/alcove-daemon") ? "done" : reason()); print @done ? "done" : "refused";`,
    fails: /^refused$/,
  },
  {
    tried: "hard-link a file of the root file system or of the shared programs into the volume",
    must: "links do not cross mounts",
    why: "a link keeps a file of another owner reachable after it was taken away",
    perl: `print join " ", map { link($_, "/workspace/user/projects/linked-$$") ? "done" : reason() } "/etc/passwd", "/opt/alcove/bin/alcove-daemon";`,
    fails: /^(?:EXDEV|EPERM|EACCES) (?:EXDEV|EPERM|EACCES)$/,
  },
];
