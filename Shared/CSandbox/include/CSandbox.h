// Starting children that may do very little. Everything here is plain C because between fork and exec nothing but
// async-signal-safe calls is allowed, which Swift cannot promise.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Upper bounds of a child; 0 leaves a limit as the parent has it, except where said otherwise.
struct sandbox_limits {
    uint64_t address_space_bytes;
    /// Private writable memory: heap, stacks, anonymous mappings.
    uint64_t data_bytes;
    /// Soft limit (SIGXCPU, which the child may ignore); the parent may move it with sandbox_allow_cpu.
    uint64_t cpu_seconds;
    /// Hard limit (SIGKILL), for good.
    uint64_t all_cpu_seconds;
    uint64_t open_files;
};

struct sandbox_launch {
    const char *path;
    char *const *arguments;
    char *const *environment;
    /// Become descriptors 0, 1 and 2 of the child; it has no others.
    int input, output, error;
    struct sandbox_limits limits;
    /// Files and directories the child may read, ended by NULL, enforced by Landlock where the kernel has it. NULL for
    /// the whole list: whatever the user may read (a child that confines itself later).
    const char *const *readable;
};

/// What went wrong in a launch, as `stage` of sandbox_start.
enum sandbox_stage {
    SANDBOX_PREPARE = 1,
    SANDBOX_FORK,
    SANDBOX_PARENT_GONE,
    SANDBOX_DESCRIPTORS,
    SANDBOX_LIMITS,
    SANDBOX_PRIVILEGES,
    SANDBOX_FILTER,
    SANDBOX_EXECUTE,
};

/// Starts a child with the limits, no capabilities, no_new_privs, and the system call filter (execve still allowed).
/// The child dies with this process. Returns 0 once the program runs, else an errno value with `stage` set.
/// `pidfd` is a descriptor of the child, owned by the caller, who must also wait for `pid`.
int sandbox_start(const struct sandbox_launch *launch, pid_t *pid, int *pidfd, int *stage);

/// Gives the process `seconds` more processor time from now.
int sandbox_allow_cpu(pid_t pid, uint64_t seconds);

/// Kills the process behind `pidfd`; harmless when it has ended.
int sandbox_kill(int pidfd);

/// Confines the calling process for the rest of its life: reading only below `readable` (ended by NULL), and the
/// system call filter without execve, for good. Call it before any thread starts. Returns 0 or an errno value.
int sandbox_confine_self(const char *const *readable);

/// The kernel's Landlock version, 0 when there is none.
int sandbox_landlock_version(void);

/// An anonymous file with these bytes, sealed, at offset 0; -1 with errno on failure.
int sandbox_memory_file(const void *bytes, size_t count);

/// Gives freed heap memory back to the system.
void sandbox_release_memory(void);
