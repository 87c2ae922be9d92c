// What Swift cannot do for processes: start them (between fork and exec nothing but async-signal-safe calls is allowed,
// which Swift cannot promise), and speak to the C library's memory.
#pragma once

#include <sys/types.h>

struct process_launch {
    const char *path;
    /// Both ended by NULL.
    char *const *arguments;
    char *const *environment;
    /// NULL: the parent's.
    const char *directory;
    /// Becomes standard output and standard error. Standard input is /dev/null; there are no other descriptors.
    int output;
    /// Sent by the kernel when the thread that calls process_start ends: that thread has to outlive the child.
    int death_signal;
};

/// Starts a child in a process group of its own, so that what the terminal sends goes to the parent alone, with all
/// signals at their defaults. Returns 0 once the program runs, else an errno value. `pidfd` becomes readable when the
/// child ends; the caller owns it and waits for `pid`.
int process_start(const struct process_launch *launch, pid_t *pid, int *pidfd);

/// The executable of the calling process, without symbolic links; -1 with errno on failure.
int process_executable(char *path, size_t capacity);

/// A pipe whose read end does not block; 0, or -1 with errno. No other program started meanwhile inherits it.
int process_pipe(int ends[2]);

/// Keeps the C library from holding on to large blocks that were freed. To be called first of all.
void process_bound_memory(void);

/// Gives back what is not in use: freed memory, and pages of the program itself, which come back from the system's cache
/// when they are needed. Most were needed at the start only.
void process_return_memory(void);
