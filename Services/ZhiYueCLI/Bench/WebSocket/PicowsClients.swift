internal import FoundationEssentials
internal import Glibc

/// Subscribers in Python processes (picows on uvloop), the same for every server: they share the machine with it as
/// the clients of a foreign program would.
struct PicowsClients {
    /// Processes, each with its share of the connections.
    private static let count = 2

    let processes: [ChildProcess]
    let connections: Int
    private let files: [PicowsCounts]

    /// - Parameters:
    ///   - packages: the folder of picows and uvloop.
    ///   - firstMessage: what every client sends when it is connected; empty for nothing.
    init(
        _ server: BenchServer, name: String, packages: String, url: String, connections: Int, firstMessage: String = "",
        subprotocols: [String] = []
    ) throws {
        self.connections = connections
        let script = "\(server.path)/picows_clients.py"
        try Data(PackageResources.picows_clients_py).write(to: URL(fileURLWithPath: script))
        var files: [PicowsCounts] = []
        var processes: [ChildProcess] = []
        for number in 0..<Self.count {
            let counts = try PicowsCounts(path: "\(server.path)/\(name)-\(number).counts")
            let own = connections / Self.count + (number < connections % Self.count ? 1 : 0)
            files.append(counts)
            processes.append(
                try server.process(
                    "\(name)-clients-\(number)", executable: "/usr/bin/env",
                    ["python3", script, counts.path, url, "127.0.0.\(10 + number)", "\(own)", firstMessage]
                        + subprotocols, environment: ["PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"]))
        }
        self.files = files
        self.processes = processes
    }

    var open: Int { files.reduce(0) { $0 + $1[.open] } }
    var messages: Int { files.reduce(0) { $0 + $1[.messages] } }
    var lost: Int { files.reduce(0) { $0 + $1[.lost] } }

    /// Latencies are noted from now on, or no more.
    func measureLatency(_ isOn: Bool) {
        for file in files { file[.phase] = isOn ? 1 : 0 }
    }

    var latencies: WebSocketBenchReport {
        var report = WebSocketBenchReport()
        for file in files { report.latencies += file.latencies }
        return report
    }

    /// Waits until `isDone`.
    /// - Throws: `CommandFailure` when that takes longer than `patience`.
    func wait(_ what: String, patience: Duration = .seconds(60), until isDone: () -> Bool) async throws {
        let deadline = ContinuousClock.now + patience
        while !isDone() {
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    "\(what) took longer than \(patience): \(open) open, \(lost) lost, \(messages) messages")
            }
            try await Task.sleep(for: .microseconds(500))
        }
    }
}

/// What a process of picows clients counts, in memory shared with it.
///
/// `@unchecked Sendable`: aligned words that each side reads whole; only the client process writes, but for the phase.
final class PicowsCounts: @unchecked Sendable {
    enum Word: Int {
        case open, messages, lost, phase
    }

    let path: String
    private static let size = 32 + 4 * WebSocketBenchCounters.slots
    private let memory: UnsafeMutableRawPointer

    init(path: String) throws(CommandFailure) {
        self.path = path
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0, ftruncate(file, off_t(Self.size)) == 0 else {
            throw CommandFailure("cannot write \(path)", errno: errno)
        }
        defer { close(file) }
        let memory = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let memory, memory != MAP_FAILED else { throw CommandFailure("cannot map \(path)", errno: errno) }
        self.memory = memory
    }

    deinit {
        munmap(memory, Self.size)
    }

    subscript(word: Word) -> Int {
        get { memory.load(fromByteOffset: 8 * word.rawValue, as: Int.self) }
        set { memory.storeBytes(of: newValue, toByteOffset: 8 * word.rawValue, as: Int.self) }
    }

    /// Slot and count, of those that are not empty.
    var latencies: [[Int]] {
        (0..<WebSocketBenchCounters.slots).compactMap { slot in
            let count = memory.load(fromByteOffset: 32 + 4 * slot, as: UInt32.self)
            return count > 0 ? [slot, Int(count)] : nil
        }
    }
}
