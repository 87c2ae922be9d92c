internal import Glibc
internal import Synchronization

/// The output of a process, over all its restarts: in a file of bounded size with its predecessor beside it, and what an
/// operator should see at once also on standard error.
final class ChildLog: Sendable {
    /// A file of this size becomes `FILE.1`, which replaces the one before.
    static let maximumFileBytes = 8 << 20
    static let maximumLineBytes = 64 << 10

    let path: String
    private let name: String
    private let showsWarnings: Bool
    private let state: Mutex<State>

    private struct State {
        var file: Int32
        var fileBytes: Int
        var line: [UInt8] = []
        var lastLines: [String] = []
        var limiter = LineLimiter()
    }

    /// - Parameter showsWarnings: whether lines of level warning and above, and lines that are no JSON, go to standard
    ///   error.
    init(name: String, directory: String, showsWarnings: Bool) throws(CommandFailure) {
        self.name = name
        self.showsWarnings = showsWarnings
        path = "\(directory)/\(name).log"
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CommandFailure("cannot write \(path)", errno: errno) }
        state = Mutex(State(file: file, fileBytes: Int(lseek(file, 0, SEEK_END))))
    }

    deinit {
        state.withLock { _ = close($0.file) }
    }

    func append(_ bytes: ArraySlice<UInt8>) {
        state.withLock { state in
            write(bytes, &state)
            for byte in bytes {
                if byte == UInt8(ascii: "\n") {
                    finishLine(&state)
                } else if state.line.count < Self.maximumLineBytes {
                    state.line.append(byte)
                }
            }
        }
    }

    /// What follows comes from another run.
    func endOfOutput() {
        state.withLock { state in
            if !state.line.isEmpty { finishLine(&state) }
        }
    }

    /// The end of the log, oldest line first.
    var lastLines: [String] { state.withLock { $0.lastLines } }

    private func write(_ bytes: ArraySlice<UInt8>, _ state: inout State) {
        if state.fileBytes + bytes.count > Self.maximumFileBytes { rotate(&state) }
        // A full disk must not stop the service as well: what cannot be written is lost.
        let count = bytes.withUnsafeBytes { Glibc.write(state.file, $0.baseAddress, $0.count) }
        state.fileBytes += max(count, 0)
    }

    private func rotate(_ state: inout State) {
        guard rename(path, "\(path).1") == 0 else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        close(state.file)
        state.file = file
        state.fileBytes = 0
    }

    private func finishLine(_ state: inout State) {
        let line = String(decoding: state.line, as: UTF8.self)
        state.line.removeAll(keepingCapacity: true)
        state.lastLines.append(line)
        if state.lastLines.count > 5 { state.lastLines.removeFirst() }
        guard showsWarnings, Self.isNotable(line) else { return }
        switch state.limiter.admit(at: .now) {
        case .show: writeError("\(name): \(line)")
        case .showLast: writeError("\(name): \(line)\n\(name): more of this for a while only in \(path)")
        case .hide: break
        }
    }

    /// Whether a line is of level warning or above, or no log line at all, as from a crash.
    static func isNotable(_ line: String) -> Bool {
        guard !line.isEmpty else { return false }
        guard line.first == "{", let key = line.firstRange(of: "\"level\":\"") else { return true }
        let level = line[key.upperBound...].prefix { $0 != "\"" }
        return ["warning", "error", "critical"].contains(level)
    }
}

/// Lets through so many lines in a stretch of time, so that a service in trouble does not drown the others.
struct LineLimiter {
    enum Decision: Equatable {
        case show
        /// The last one before the rest is hidden.
        case showLast
        case hide
    }

    static let lines = 20
    static let window = Duration.seconds(10)

    private var windowStart: ContinuousClock.Instant?
    private var shown = 0

    mutating func admit(at now: ContinuousClock.Instant) -> Decision {
        if let windowStart, windowStart.duration(to: now) < Self.window {
            shown += 1
        } else {
            windowStart = now
            shown = 1
        }
        if shown == Self.lines { return .showLast }
        return shown < Self.lines ? .show : .hide
    }
}
