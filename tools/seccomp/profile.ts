/**
 * What a box may ask of the kernel: the list that container engines allow by default, without io_uring, keyrings, bpf, perf, userfaultfd, fanotify, quotas,
 * mounts, handles and namespaces. What is not named is answered EPERM, what the kernel had not yet when the table was made ENOSYS, so that libraries fall back.
 */
export const allowedCalls = `
accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown chroot clock_adjtime clock_getres clock_gettime clock_nanosleep
close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old
eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr
flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat get_robust_list
get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr getxattrat inotify_add_watch inotify_init inotify_init1
inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset
landlock_restrict_self lchown lgetxattr link linkat listen listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat madvise map_shadow_stack membarrier
memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend
mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_getfd
pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_madvise process_mrelease
process_vm_readv process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages
removexattr removexattrat rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg
sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid
setrlimit setsid setsockopt setuid setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 splice stat statfs statx symlink
symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev
`
  .trim()
  .split(/\s+/);

/** A condition on the low 32 bits of an argument, counted from 0. */
export type Condition =
  | { argument: number; equals: number[] }
  | { argument: number; differs: number[] }
  | { argument: number; without: number };

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (clone(2)). */
const namespaceFlags = 0x7e020000;
const family = { unix: 1, inet: 2, inet6: 10, netlink: 16 };
const netlinkRoute = 0;
/** Pushes characters into a terminal's input; TIOCLINUX pastes a selection into it. */
const terminalInjection = [0x5412, 0x541c];

/** EAFNOSUPPORT: what programs expect of a kernel without the family; EPERM would make libaudit, and with it sudo, give up. */
export const refusals: Record<string, number> = { socket: 97 };

/** Calls that are allowed only so: each inner list is one way, whose conditions must all hold. */
export const conditionalCalls: Record<string, Condition[][]> = {
  clone: [[{ argument: 0, without: namespaceFlags }]],
  socket: [
    [{ argument: 0, equals: [family.unix, family.inet, family.inet6] }],
    [
      { argument: 0, equals: [family.netlink] },
      { argument: 2, equals: [netlinkRoute] },
    ],
  ],
  socketpair: [[{ argument: 0, equals: [family.unix] }]],
  ioctl: [[{ argument: 1, differs: terminalInjection }]],
  // PER_LINUX, PER_LINUX32, UNAME26 with either, and the question which it is.
  personality: [[{ argument: 0, equals: [0x0, 0x8, 0x20000, 0x20008, 0xffffffff] }]],
};

/** Answered ENOSYS although the kernel has it: its flags lie in memory, where no filter can look; libc falls back to `clone`. */
export const absentCalls = ["clone3"];
