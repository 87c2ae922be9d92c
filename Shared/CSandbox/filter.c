// The system calls a confined child may make. It is a list of what is allowed: reading files, memory, threads, clocks.
// Everything else fails with EPERM: sockets, new processes, opening for writing, signals, ptrace, mounts, io_uring.
#define _GNU_SOURCE
#include "CSandbox.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

static const char *const allowed[] = {
    // Descriptors it was given, and files it may read.
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "close", "close_range", "lseek", "_llseek",
    "dup", "dup2", "dup3", "fadvise64", "stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd",
    // Waiting.
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2",
    "timerfd_create", "timerfd_settime", "pipe", "pipe2", "nanosleep", "clock_nanosleep", "restart_syscall",
    // Memory.
    "mprotect", "munmap", "mremap", "brk", "madvise", "mincore", "membarrier", "get_mempolicy",
    // Threads.
    "futex", "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "sched_yield", "sched_getaffinity",
    "sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
    "getcpu", "arch_prctl", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack",
    // Facts about itself and the machine.
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups",
    "uname", "sysinfo", "getrlimit", "getrusage", "times", "time", "gettimeofday", "clock_gettime", "clock_getres",
    "getrandom", "capget", "getpriority", "umask",
    "exit", "exit_group",
};

// What a program needs to confine itself further.
static const char *const giving_up[] = {
    "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
};

// Newer system calls that the C library tries first: told that they do not exist, it takes the older one.
static const char *const unknown[] = {"clone3", "openat2", "memfd_create", "copy_file_range"};

static int add_all(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        if (number == __NR_SCMP_ERROR) continue;  // Not on this architecture, or newer than the library.
        int error = seccomp_rule_add(filter, action, number, 0);
        if (error != 0 && error != -EDOM) return error;
    }
    return 0;
}

static int allow_if(scmp_filter_ctx filter, int number, struct scmp_arg_cmp condition) {
    int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &condition);
    return error == -EDOM ? 0 : error;  // Not on this architecture.
}

static int add_conditions(scmp_filter_ctx filter) {
    const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
    int error = allow_if(filter, SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
    if (error == 0) error = allow_if(filter, SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
    // Threads, no processes.
    if (error == 0)
        error = allow_if(filter, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    // Shared memory without a file would not count as data.
    if (error == 0) error = allow_if(filter, SCMP_SYS(mmap), SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_TYPE, MAP_PRIVATE));
    if (error == 0)
        error = allow_if(
            filter, SCMP_SYS(mmap), SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_TYPE | MAP_ANONYMOUS, MAP_SHARED));
    // An owner of a descriptor is sent signals, so there is none to be set; nor is there a larger pipe.
    const scmp_datum_t commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};
    for (size_t i = 0; error == 0 && i < sizeof commands / sizeof *commands; i++)
        error = allow_if(filter, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, commands[i]));
    // Its own threads only.
    if (error == 0) error = allow_if(filter, SCMP_SYS(sched_setaffinity), SCMP_A0(SCMP_CMP_EQ, 0));
    // Reading limits, not setting them.
    if (error == 0)
        error = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
    const scmp_datum_t options[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA};
    for (size_t i = 0; error == 0 && i < sizeof options / sizeof *options; i++)
        error = allow_if(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, options[i]));
    return error;
}

static int add_self_confinement(scmp_filter_ctx filter) {
    int error = add_all(filter, SCMP_ACT_ALLOW, giving_up, sizeof giving_up / sizeof *giving_up);
    if (error == 0) error = allow_if(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS));
    if (error == 0) error = allow_if(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
    return error;
}

enum stage {
    // For a program that is about to be executed and stays as it is.
    LAUNCH,
    // For one that is about to be executed and will confine itself further.
    LAUNCH_FIRST,
    // For one that runs.
    RUNNING,
};

static scmp_filter_ctx make_filter(enum stage stage) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    int error = add_all(filter, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed);
    if (error == 0) error = add_all(filter, SCMP_ACT_ERRNO(ENOSYS), unknown, sizeof unknown / sizeof *unknown);
    // Numbers above those this library knows by name are the same on every architecture.
    for (int number = 449; error == 0 && number < 480; number++) {
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0);
        if (error == -EDOM || error == -EEXIST) error = 0;
    }
    if (error == 0) error = add_conditions(filter);
    if (error == 0 && stage == LAUNCH_FIRST) error = add_self_confinement(filter);
    if (error == 0 && stage != RUNNING) error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(execve), 0);
    // 32-bit and x32 programs number their calls otherwise; no library here makes such calls.
    if (error == 0) error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (error == 0) seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (error != 0) {
        seccomp_release(filter);
        errno = -error;
        return NULL;
    }
    return filter;
}

static struct launch_filter {
    struct sock_fprog program;
    int error;
} launch_filters[2];

static void make_launch_filter(enum stage stage) {
    struct launch_filter *made = &launch_filters[stage];
    scmp_filter_ctx filter = make_filter(stage);
    int file = filter == NULL ? -1 : memfd_create("filter", MFD_CLOEXEC);
    struct stat status;
    int error = 0;
    if (file < 0) {
        error = errno;
    } else if ((error = -seccomp_export_bpf(filter, file)) == 0) {
        if (fstat(file, &status) != 0) {
            error = errno;
        } else {
            made->program.filter = malloc((size_t)status.st_size);
            made->program.len = (unsigned short)((size_t)status.st_size / sizeof(struct sock_filter));
            if (made->program.filter == NULL
                || pread(file, made->program.filter, (size_t)status.st_size, 0) != status.st_size)
                error = EIO;
        }
    }
    if (file >= 0) close(file);
    if (filter != NULL) seccomp_release(filter);
    made->error = error;
}

static void make_launch_filters(void) {
    make_launch_filter(LAUNCH);
    make_launch_filter(LAUNCH_FIRST);
}

const struct sock_fprog *sandbox_launch_filter(int confines_itself) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_launch_filters);
    const struct launch_filter *filter = &launch_filters[confines_itself ? LAUNCH_FIRST : LAUNCH];
    errno = filter->error;
    return filter->error == 0 ? &filter->program : NULL;
}

int sandbox_load_strict_filter(void) {
    scmp_filter_ctx filter = make_filter(RUNNING);
    if (filter == NULL) return errno;
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0) error = seccomp_load(filter);
    seccomp_release(filter);
    return -error;
}
