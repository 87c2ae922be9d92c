internal import FoundationEssentials
internal import Glibc

/// What processes have used until now, all told; those that are gone count nothing.
package struct ProcessResources: Sendable {
    /// Resident memory, in bytes.
    package private(set) var bytes = 0
    /// Of user and system.
    package private(set) var processorSeconds = 0.0

    package init(_ identifiers: [Int32]) {
        for pid in identifiers {
            bytes += Self.residentPages(pid) * Int(sysconf(Int32(_SC_PAGESIZE)))
            processorSeconds += Self.ticks(pid) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }

    private static func residentPages(_ pid: pid_t) -> Int {
        let text = try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)
        return text?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    private static func ticks(_ pid: pid_t) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return user + system
    }
}
