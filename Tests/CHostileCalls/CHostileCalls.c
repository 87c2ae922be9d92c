#define _GNU_SOURCE
#include "CHostileCalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(name, number, ...) {name, number, {__VA_ARGS__}}

static char nothing[512];
static const char path[] = "/tmp/hostile-reader";
// Where no error tells a call that was made from one that was refused, its arguments make it fail otherwise than by EPERM.
static const struct {
    const char *name;
    long number;
    long arguments[6];
} calls[] = {
    CALL("network socket", SYS_socket, AF_INET, SOCK_DGRAM),
    CALL("kernel socket", SYS_socket, AF_NETLINK, SOCK_RAW),
    CALL("socket pair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, (long)nothing),
    CALL("passing descriptors", SYS_sendmsg, 0, (long)nothing),
    CALL("taking descriptors", SYS_recvmsg, 0, (long)nothing, MSG_DONTWAIT),
    CALL("process", SYS_clone, SIGCHLD),
    CALL("process of shared memory", SYS_clone, CLONE_VM | SIGCHLD, (long)(nothing + sizeof nothing)),
    CALL("new process", SYS_clone3, (long)nothing, 88),
    CALL("program of a descriptor", SYS_execveat, 0, (long)"", 0, 0, 0x1000),
    CALL("file to write", SYS_openat, AT_FDCWD, (long)path, O_WRONLY | O_CREAT, 0600),
    CALL("file to truncate", SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDONLY | O_TRUNC),
    CALL("file without a name", SYS_openat, AT_FDCWD, (long)"/tmp", O_TMPFILE | O_RDWR, 0600),
    CALL("new open", SYS_openat2, AT_FDCWD, (long)"/dev/null", (long)nothing, 24),
    CALL("open by handle", SYS_open_by_handle_at, AT_FDCWD, (long)nothing, 0),
    CALL("memory file", SYS_memfd_create, (long)"x", 0),
    CALL("truncate", SYS_ftruncate, 0, 0),
    CALL("rename", SYS_renameat2, AT_FDCWD, (long)path, AT_FDCWD, (long)path, 0),
    CALL("unlink", SYS_unlinkat, AT_FDCWD, (long)path, 0),
    CALL("symbolic link", SYS_symlinkat, (long)path, AT_FDCWD, (long)path),
    CALL("device", SYS_mknodat, AT_FDCWD, (long)path, 010600, 0),
    CALL("mode", SYS_fchmodat, AT_FDCWD, (long)path, 0777),
    CALL("trace", SYS_ptrace, 16 /* PTRACE_ATTACH */, 1),
    CALL("other memory", SYS_process_vm_readv, 1, (long)nothing, 0, (long)nothing, 0, 0),
    CALL("writing other memory", SYS_process_vm_writev, 1, (long)nothing, 0, (long)nothing, 0, 0),
    CALL("signal", SYS_kill, 1, 0),
    CALL("signal to a thread", SYS_tgkill, 1, 1, 0),
    CALL("queued signal", SYS_rt_sigqueueinfo, 1, SIGUSR1, (long)nothing),
    CALL("descriptor of a process", SYS_pidfd_open, 1, 0),
    CALL("signal by descriptor", SYS_pidfd_send_signal, 0, 0, 0, 0),
    CALL("signal of a descriptor's owner", SYS_fcntl, 0, F_SETOWN, 1),
    CALL("which signal an owner gets", SYS_fcntl, 0, F_SETSIG, SIGKILL),
    CALL("size of a pipe", SYS_fcntl, 0, F_SETPIPE_SZ, 1 << 20),
    CALL("affinity of others", SYS_sched_setaffinity, 1, sizeof nothing, (long)nothing),
    CALL("priority", SYS_setpriority, 0, 0, -5),
    CALL("limits of others", SYS_prlimit64, 1, 7, 0, (long)nothing),
    CALL("higher limits", SYS_prlimit64, 0, 7, (long)nothing, 0),
    CALL("outliving its parent", SYS_prctl, PR_SET_PDEATHSIG, 0),
    CALL("terminal", SYS_ioctl, 0, TIOCSTI, (long)nothing),
    CALL("io_uring", SYS_io_uring_setup, 1, (long)nothing),
    CALL("userfaultfd", SYS_userfaultfd, 0),
    CALL("bpf", SYS_bpf, 0, (long)nothing, 32),
    CALL("performance counters", SYS_perf_event_open, (long)nothing, 0, -1, -1, 0),
    CALL("keys", SYS_keyctl, 0, -3, 0),
    CALL("name spaces", SYS_unshare, CLONE_NEWUSER),
    CALL("other name spaces", SYS_setns, 0, 0),
    CALL("mount", SYS_mount, (long)"", (long)"/", (long)"", 0, 0),
    CALL("root", SYS_chroot, (long)"/"),
    CALL("personality", SYS_personality, 0xffffffff),
    CALL("another filter", SYS_seccomp, 1, 0, (long)nothing),
    CALL("another rule set", SYS_landlock_create_ruleset, 0, 0, 1),
    CALL("a call of the future", 470, 0),
};

int hostile_call(int index, const char **name) {
    if (index < 0 || (size_t)index >= sizeof calls / sizeof *calls) return -1;
    *name = calls[index].name;
    const long *with = calls[index].arguments;
    pid_t before = getpid();
    long result = syscall(calls[index].number, with[0], with[1], with[2], with[3], with[4], with[5]);
    int error = errno;
    if (getpid() != before) _exit(0);
    return result >= 0 ? 0 : error;
}

void hostile_call_32bit(void) {
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20 /* getpid */) : "memory");
#endif
}

void hostile_call_x32(void) {
    syscall(0x40000000 | SYS_getpid);
}

int hostile_allocation(unsigned long bytes, int is_shared) {
    int kind = is_shared ? MAP_SHARED : MAP_PRIVATE;
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return errno;
    munmap(start, bytes);
    return 0;
}
