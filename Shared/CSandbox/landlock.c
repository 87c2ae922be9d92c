// Which files a child may read. Landlock came with Linux 5.13 and may be switched off; then the system call filter is
// what remains.
#define _GNU_SOURCE
#include "CSandbox.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Later versions than the kernel headers of the build may know.
#define ACCESS_REFER (1ULL << 13)
#define ACCESS_TRUNCATE (1ULL << 14)
#define ACCESS_IOCTL_DEVICE (1ULL << 15)
#define NETWORK_BIND (1ULL << 0)
#define NETWORK_CONNECT (1ULL << 1)
#define SCOPE_ABSTRACT_SOCKETS (1ULL << 0)
#define SCOPE_SIGNALS (1ULL << 1)

struct rules {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

int sandbox_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

static int allow(int rules, const char *path, uint64_t access) {
    int file = open(path, O_PATH | O_CLOEXEC);
    if (file < 0) return 0;  // What does not exist needs no permission.
    struct stat status;
    if (fstat(file, &status) == 0 && !S_ISDIR(status.st_mode)) access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
    struct landlock_path_beneath_attr attributes = {.allowed_access = access, .parent_fd = file};
    long result = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attributes, 0);
    int error = errno;
    close(file);
    errno = error;
    return result == 0 ? 0 : -1;
}

int sandbox_landlock_rules(const char *const *readable, const char *program) {
    int version = sandbox_landlock_version();
    if (version == 0) return -1;
    struct rules handled = {.files = (1ULL << 13) - 1};
    size_t size = sizeof handled.files;
    if (version >= 2) handled.files |= ACCESS_REFER;
    if (version >= 3) handled.files |= ACCESS_TRUNCATE;
    if (version >= 4) handled.network = NETWORK_BIND | NETWORK_CONNECT, size = 2 * sizeof(uint64_t);
    if (version >= 5) handled.files |= ACCESS_IOCTL_DEVICE;
    if (version >= 6) handled.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS, size = sizeof handled;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
    if (rules < 0) return -2;

    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    int failed = 0;
    for (; readable != NULL && *readable != NULL && !failed; readable++) failed = allow(rules, *readable, reading);
    if (program != NULL && !failed) {
        const uint64_t execution = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
        failed = allow(rules, program, execution);
        // The program's loader counts as executed, too.
        static const char *const loaders[] = {
            "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib64/ld64.so.2", NULL};
        for (const char *const *loader = loaders; *loader != NULL && !failed; loader++)
            failed = allow(rules, *loader, execution);
    }
    if (failed) {
        int error = errno;
        close(rules);
        errno = error;
        return -2;
    }
    return rules;
}

int sandbox_landlock_enforce(int rules) {
    return syscall(SYS_landlock_restrict_self, rules, 0) == 0 ? 0 : errno;
}

int sandbox_confine_self(const char *const *readable) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    int rules = sandbox_landlock_rules(readable, NULL);
    if (rules == -2) return errno;
    if (rules >= 0) {
        int error = sandbox_landlock_enforce(rules);
        close(rules);
        if (error != 0) return error;
    }
    return sandbox_load_strict_filter();
}
