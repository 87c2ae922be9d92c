internal import FoundationEssentials
internal import Glibc

/// The processor time of the processes this one has started, which says what a page costs on a busy machine too.
enum ReaderClock {
    /// Milliseconds of all threads of all living children; nil where the kernel does not list children.
    static func milliseconds() -> Double? {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        var total: Double?
        for thread in threads {
            // A thread may have ended since.
            guard let children = try? String(contentsOfFile: "/proc/self/task/\(thread)/children", encoding: .utf8)
            else { continue }
            for child in children.split(separator: " ").compactMap({ pid_t($0) }) {
                var clock = clockid_t()
                var time = timespec()
                guard clock_getcpuclockid(child, &clock) == 0, clock_gettime(clock, &time) == 0 else { continue }
                total = (total ?? 0) + Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
            }
        }
        return total
    }
}
