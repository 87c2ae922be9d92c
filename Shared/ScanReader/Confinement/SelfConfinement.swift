internal import CSandbox
internal import Glibc

/// What a confined program does first, on its only thread: from then on it opens no file but libraries and what it
/// names, starts no program and talks to nobody but its parent.
package enum SelfConfinement {
    /// Libraries and what they look at: time zone, processors, memory.
    private static let systemPaths = [
        "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
        "/proc/stat", "/sys/devices/system", "/sys/fs/cgroup", "/dev/urandom",
    ]

    /// - Parameter readable: further files and folders the program reads.
    package static func apply(readable: [String]) throws(ConfinedProcessError) {
        let failure = withStrings(systemPaths + readable) { paths in
            paths.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: 1) { sandbox_confine_self($0) }
        }
        guard failure == 0 else { throw .system(call: "confine", errno: failure) }
    }
}
