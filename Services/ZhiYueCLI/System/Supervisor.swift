internal import Glibc
internal import Synchronization

/// Keeps one process running until told to stop.
final class Supervisor: Sendable {
    let name: String
    private let launch: ChildProcess.Launch
    private let log: ChildLog
    private let state: Mutex<State>

    private struct State {
        var machine: RestartStateMachine
        var child: ChildProcess?
        /// The wait before a restart.
        var pause: Task<Void, Never>?
    }

    init(
        name: String, launch: ChildProcess.Launch, log: ChildLog,
        policy: RestartStateMachine.Policy = RestartStateMachine.Policy()
    ) {
        self.name = name
        self.launch = launch
        self.log = log
        state = Mutex(State(machine: RestartStateMachine(policy: policy)))
    }

    /// Returns when the process has ended after `stop()` or `kill()`.
    /// - Throws: `CommandFailure` when it is given up.
    func run() async throws(CommandFailure) {
        while let child = nextChild() {
            let ending: String
            do {
                ending = "ended \(try await child.run())"
            } catch {
                ending = "did not start: \(error)"
            }
            let action = state.withLock { state in
                state.child = nil
                return state.machine.ended(at: .now)
            }
            switch action {
            case .done: return
            case .giveUp: throw CommandFailure("\(name) \(ending), again and again;\(logTail)")
            case .restart(let delay):
                writeError("zhiyue: \(name) \(ending); starting it again in \(delay)")
                await pause(delay)
            }
        }
    }

    func systemBecameReady() {
        state.withLock { $0.machine.systemBecameReady() }
    }

    /// Asks the process to end.
    func stop() { end(with: SIGTERM) }

    /// Ends the process at once.
    func kill() { end(with: SIGKILL) }

    private func end(with signal: Int32) {
        state.withLock { state in
            state.machine.stop()
            state.child?.send(signal)
            state.pause?.cancel()
        }
    }

    private func nextChild() -> ChildProcess? {
        state.withLock { state in
            guard !state.machine.isStopping else { return nil }
            let child = ChildProcess(launch, log: log)
            state.child = child
            state.machine.started(at: .now)
            return child
        }
    }

    private func pause(_ delay: Duration) async {
        // Unstructured, so that stop() can end it.
        let pause = Task { _ = try? await Task.sleep(for: delay) }
        state.withLock { state in
            state.pause = pause
            if state.machine.isStopping { pause.cancel() }
        }
        await pause.value
        state.withLock { $0.pause = nil }
    }

    private var logTail: String {
        let lines = log.lastLines
        return lines.isEmpty ? " \(log.path) is empty" : " the end of \(log.path):\n" + lines.joined(separator: "\n")
    }
}
