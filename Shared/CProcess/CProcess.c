#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(int channel, int error) {
    ssize_t ignored = write(channel, &error, sizeof error);
    (void)ignored;
    _exit(127);
}

static void run_child(const struct process_launch *launch, int channel, pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, launch->death_signal) != 0) report(channel, errno);
    // The parent may have ended before the line above.
    if (getppid() != parent) _exit(127);
    if (setpgid(0, 0) != 0) report(channel, errno);

    struct sigaction fallback = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &fallback, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(launch->output, 1) < 0 || dup2(launch->output, 2) < 0)
        report(channel, errno);
    // Marked instead of closed: the channel must stay open until exec.
    if (syscall(SYS_close_range, 3, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */) != 0)
        for (int descriptor = 3; descriptor < 1024; descriptor++) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    if (launch->directory != NULL && chdir(launch->directory) != 0) report(channel, errno);
    execve(launch->path, launch->arguments, launch->environment);
    report(channel, errno);
}

int process_start(const struct process_launch *launch, pid_t *pid, int *pidfd) {
    int channel[2];
    if (pipe2(channel, O_CLOEXEC) != 0) return errno;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) {
        int error = errno;
        close(channel[0]);
        close(channel[1]);
        return error;
    }
    if (child == 0) run_child(launch, channel[1], parent);
    close(channel[1]);

    int error = 0;
    ssize_t count;
    do count = read(channel[0], &error, sizeof error);
    while (count < 0 && errno == EINTR);
    close(channel[0]);
    if (count == 0) {
        *pidfd = (int)syscall(SYS_pidfd_open, child, 0);
        if (*pidfd >= 0) {
            *pid = child;
            return 0;
        }
        error = errno;
        kill(child, SIGKILL);
    }
    waitpid(child, NULL, 0);
    return error == 0 ? ECHILD : error;
}

int process_executable(char *path, size_t capacity) {
    ssize_t count = readlink("/proc/self/exe", path, capacity - 1);
    if (count < 0) return -1;
    path[count] = 0;
    return 0;
}

int process_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    // The write end stays blocking: the child's writes wait, they do not fail.
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

void process_bound_memory(void) {
    // Setting them also ends their growth with the largest block ever freed.
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

static int drop_program_pages(struct dl_phdr_info *module, size_t size, void *unused) {
    (void)size;
    (void)unused;
    for (int index = 0; index < module->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[index];
        // What can be written may differ from the file.
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
        uintptr_t page = (uintptr_t)getpagesize();
        uintptr_t start = (module->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (module->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
        if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    // The program comes first; the libraries are shared with other programs anyway.
    return 1;
}

void process_return_memory(void) {
    malloc_trim(0);
    dl_iterate_phdr(drop_program_pages, NULL);
}
