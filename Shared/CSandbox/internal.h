#pragma once

#include <linux/filter.h>

/// The compiled system call filter for a child that is about to execute its program, which may confine itself further.
/// Made once, never freed. NULL with errno when libseccomp fails.
const struct sock_fprog *sandbox_launch_filter(int confines_itself);

/// Loads the strictest filter (no execve, no confining) into all threads of this process. 0 or an errno value.
int sandbox_load_strict_filter(void);

/// A Landlock rule set that allows reading below `readable` (and executing `program`, if not NULL). -1 when the kernel
/// has no Landlock, -2 with errno on failure.
int sandbox_landlock_rules(const char *const *readable, const char *program);

/// Async-signal-safe. 0 or an errno value.
int sandbox_landlock_enforce(int rules);
