#define _GNU_SOURCE
#include "CSandbox.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct report {
    int stage;
    int error;
};

struct job {
    const struct sandbox_launch *launch;
    const struct sock_fprog *filter;
    int rules;
    pid_t pid;
    int pidfd;
    struct report report;
    int done;
};

// MARK: In the child, between fork and exec: async-signal-safe calls only.

static void reset_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int place_descriptors(const struct sandbox_launch *launch, int keep) {
    int wanted[3] = {launch->input, launch->output, launch->error};
    // First out of the way of 0, 1 and 2, whichever of those the parent has closed.
    for (int i = 0; i < 3; i++) {
        wanted[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 16);
        if (wanted[i] < 0) return errno;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(wanted[i], i) < 0) return errno;
    // `keep` reports a failed exec, so it has to last until then; all others are closed by exec with it.
    if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return 0;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return errno;
    for (rlim_t i = 3; i < files.rlim_cur && i < (1 << 20); i++)
        if ((int)i != keep) fcntl((int)i, F_SETFD, FD_CLOEXEC);
    return 0;
}

static int set_limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return errno;
    if (limit.rlim_max != RLIM_INFINITY && hard > limit.rlim_max) hard = limit.rlim_max;
    limit.rlim_max = hard;
    limit.rlim_cur = soft > hard ? hard : soft;
    return setrlimit(resource, &limit) == 0 ? 0 : errno;
}

static uint64_t all_cpu_seconds(const struct sandbox_limits *limits) {
    return limits->all_cpu_seconds == 0 ? RLIM_INFINITY : limits->all_cpu_seconds;
}

static int set_limits(const struct sandbox_limits *limits) {
    int error = set_limit(RLIMIT_CORE, 0, 0);
    if (error == 0) error = set_limit(RLIMIT_FSIZE, 0, 0);
    if (error == 0 && limits->address_space_bytes != 0)
        error = set_limit(RLIMIT_AS, limits->address_space_bytes, limits->address_space_bytes);
    if (error == 0 && limits->data_bytes != 0) error = set_limit(RLIMIT_DATA, limits->data_bytes, limits->data_bytes);
    if (error == 0 && limits->cpu_seconds != 0) error = set_limit(RLIMIT_CPU, limits->cpu_seconds, all_cpu_seconds(limits));
    if (error == 0 && limits->open_files != 0)
        error = set_limit(RLIMIT_NOFILE, limits->open_files, limits->open_files);
    return error;
}

static int drop_privileges(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none) != 0) return errno;
    // Without it, exec would give a child of root its capabilities back.
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

// When the machine runs out of memory, this process goes first and not the one that asked for it.
static void offer_memory(void) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t ignored = write(file, "1000", 4);
    (void)ignored;
    close(file);
}

static void fail(int channel, int stage, int error) {
    struct report report = {.stage = stage, .error = error};
    ssize_t ignored = write(channel, &report, sizeof report);
    (void)ignored;
    _exit(127);
}

static void become(const struct job *job, int channel, pid_t parent) {
    const struct sandbox_launch *launch = job->launch;
    int error;
    reset_signals();
    setsid();
    if (chdir("/") != 0) fail(channel, SANDBOX_DESCRIPTORS, errno);
    if ((error = place_descriptors(launch, channel)) != 0) fail(channel, SANDBOX_DESCRIPTORS, error);
    offer_memory();
    if ((error = set_limits(&launch->limits)) != 0) fail(channel, SANDBOX_LIMITS, error);
    if ((error = drop_privileges()) != 0) fail(channel, SANDBOX_PRIVILEGES, error);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail(channel, SANDBOX_PRIVILEGES, errno);
    if (getppid() != parent) fail(channel, SANDBOX_PARENT_GONE, ESRCH);
    if (job->rules >= 0 && (error = sandbox_landlock_enforce(job->rules)) != 0) fail(channel, SANDBOX_FILTER, error);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, job->filter) != 0) fail(channel, SANDBOX_FILTER, errno);
    execve(launch->path, launch->arguments, launch->environment);
    fail(channel, SANDBOX_EXECUTE, errno);
}

// MARK: In the parent.

static void perform(struct job *job) {
    int channel[2];
    if (pipe2(channel, O_CLOEXEC) != 0) {
        job->report = (struct report){SANDBOX_PREPARE, errno};
        return;
    }
    // Above the numbers the child puts its own descriptors on.
    int writer = fcntl(channel[1], F_DUPFD_CLOEXEC, 16);
    close(channel[1]);
    pid_t parent = getpid();
    pid_t pid = writer < 0 ? -1 : fork();
    if (pid == 0) become(job, writer, parent);
    int error = errno;
    if (writer >= 0) close(writer);
    if (pid < 0) {
        job->report = (struct report){SANDBOX_FORK, error};
        close(channel[0]);
        return;
    }
    ssize_t count;
    do count = read(channel[0], &job->report, sizeof job->report);
    while (count < 0 && errno == EINTR);
    close(channel[0]);
    if (count == 0) {
        job->report = (struct report){0, 0};
        job->pid = pid;
        job->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (job->pidfd >= 0) return;
        job->report = (struct report){SANDBOX_PREPARE, errno};
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

// The signal for a parent's death comes when the thread that forked ends, not the process. Threads of a pool end when
// they are idle, so all children are forked from one thread that never does.
static pthread_mutex_t callers = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct job *pending;
static int started;

static void *launcher(void *unused) {
    (void)unused;
    prctl(PR_SET_NAME, "launcher", 0, 0, 0);
    pthread_mutex_lock(&lock);
    for (;;) {
        while (pending == NULL) pthread_cond_wait(&changed, &lock);
        struct job *job = pending;
        pending = NULL;
        pthread_mutex_unlock(&lock);
        perform(job);
        pthread_mutex_lock(&lock);
        job->done = 1;
        pthread_cond_broadcast(&changed);
    }
    return NULL;
}

static int start_launcher(void) {
    if (started) return 0;
    // No signal handler of the parent may run in this thread, nor in the child it forks.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, launcher, NULL);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    started = error == 0;
    return error;
}

int sandbox_start(const struct sandbox_launch *launch, pid_t *pid, int *pidfd, int *stage) {
    struct job job = {.launch = launch, .rules = -1, .pidfd = -1};
    *stage = SANDBOX_PREPARE;
    job.filter = sandbox_launch_filter(launch->readable == NULL);
    if (job.filter == NULL) return errno;
    if (launch->readable != NULL) {
        job.rules = sandbox_landlock_rules(launch->readable, launch->path);
        if (job.rules == -2) return errno;
    }
    pthread_mutex_lock(&callers);
    pthread_mutex_lock(&lock);
    int error = start_launcher();
    if (error == 0) {
        pending = &job;
        pthread_cond_broadcast(&changed);
        while (!job.done) pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&callers);
    if (job.rules >= 0) close(job.rules);
    if (error != 0) return error;
    *stage = job.report.stage;
    *pid = job.pid;
    *pidfd = job.pidfd;
    return job.report.error;
}

int sandbox_allow_cpu(pid_t pid, uint64_t seconds) {
    clockid_t clock;
    struct timespec used;
    int error = clock_getcpuclockid(pid, &clock);
    if (error != 0) return error;
    if (clock_gettime(clock, &used) != 0) return errno;
    struct rlimit limit = {.rlim_cur = (rlim_t)used.tv_sec + 1 + seconds, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    if (prlimit(pid, RLIMIT_CPU, NULL, &before) != 0) return errno;
    limit.rlim_max = before.rlim_max;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    return prlimit(pid, RLIMIT_CPU, &limit, NULL) == 0 ? 0 : errno;
}

int sandbox_kill(int pidfd) {
    return syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0 ? 0 : errno;
}
