internal import Domain
internal import Glibc
internal import Synchronization

/// Shows on standard error how far the demonstration is: one line that is written over on a terminal, else a line
/// whenever a tenth has been done.
final class DemoProgress: Sendable {
    private struct State {
        var lastTenth = -1
        var lastLine = ""
    }

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let started = ContinuousClock.now
    private let state = Mutex(State())

    func begin(exam: ExamID, sheets: Int, correlationID: String) {
        writeError("marking \(sheets) simulated sheets of exam \(exam), correlation \(correlationID)")
    }

    func show(_ statuses: [SheetStatus], of total: Int) {
        let done = statuses.count { $0 == .graded || $0 == .review || $0 == .failed }
        let line = "uploaded \(statuses.count), read \(statuses.count { $0 != .uploaded }), marked \(done) of \(total)"
        state.withLock { state in
            guard line != state.lastLine else { return }
            state.lastLine = line
            let seconds = Int(started.duration(to: .now).inSeconds)
            if isTerminal {
                writeError("\u{1B}[A\u{1B}[2K\(line)  \(seconds) s")
            } else if done * 10 / max(total, 1) > state.lastTenth {
                state.lastTenth = done * 10 / max(total, 1)
                writeError("\(line)  \(seconds) s")
            }
        }
    }
}
