import Foundation
import Testing

@testable import ZhiYueCLI

@Suite struct SupervisorTests {
    private let temporary: TemporaryDirectory
    private let log: ChildLog

    init() throws {
        temporary = try TemporaryDirectory()
        log = try ChildLog(name: "child", directory: temporary.path, showsWarnings: false)
    }

    private func shell(_ script: String) -> ChildProcess.Launch {
        ChildProcess.Launch(executable: "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"])
    }

    private func logged() throws -> String { try String(contentsOfFile: log.path, encoding: .utf8) }

    @Test("A child's output is in its log, and its exit status is known")
    func output() async throws {
        let ending = try await ChildProcess(shell("echo one; echo two >&2; exit 7"), log: log).run()
        #expect(ending == .status(7))
        #expect(try logged() == "one\ntwo\n")
        #expect(log.lastLines == ["one", "two"])
    }

    @Test("More output than a pipe holds is complete")
    func muchOutput() async throws {
        let ending = try await ChildProcess(shell("seq 1 50000"), log: log).run()
        #expect(ending == .status(0))
        #expect(try logged() == (1...50_000).map { "\($0)\n" }.joined())
    }

    @Test("A child has no descriptors but the three, no standard input, and no signal blocked or ignored")
    func cleanStart() async throws {
        signal(SIGPIPE, SIG_IGN)
        // Signals 32 and above belong to the C library.
        let script = """
            cd /proc/$$; n=0; while [ $n -lt 256 ]; do [ -e fd/$n ] && echo $n; n=$((n + 1)); done; cat; grep -E 'Sig(Blk|Ign)' status | awk '{print substr($2, 9)}' | tr 89abcdef 01234567
            """
        _ = try await ChildProcess(shell(script), log: log).run()
        let facts = try logged().split(separator: "\n").map { String($0) }
        #expect(facts == ["0", "1", "2", "00000000", "00000000"])
    }

    @Test("A program that is not there is an error that names it")
    func missingProgram() async throws {
        let launch = ChildProcess.Launch(executable: "/nowhere/gateway", environment: [:])
        let error = await #expect(throws: CommandFailure.self) { _ = try await ChildProcess(launch, log: log).run() }
        #expect(error?.description == "cannot start /nowhere/gateway: No such file or directory")
    }

    @Test("A signal sent before the start arrives")
    func earlySignal() async throws {
        let child = ChildProcess(shell("exec sleep 1000"), log: log)
        child.send(SIGTERM)
        #expect(try await child.run() == .signal(SIGTERM))
    }

    @Test("The end of a child is seen although a grandchild keeps its output open")
    func grandchild() async throws {
        let ending = try await ChildProcess(shell("sleep 1000 & echo $!"), log: log).run()
        #expect(ending == .status(0))
        let grandchild = try #require(pid_t(try logged().dropLast()))
        kill(grandchild, SIGKILL)
    }

    @Test("A process that was killed runs again, and ends for good when stopped")
    func restarts() async throws {
        // Each run leaves its number in a FIFO that the test reads: no polling.
        let fifo = temporary.path + "/runs"
        #expect(mkfifo(fifo, 0o600) == 0)
        let supervisor = Supervisor(
            name: "child", launch: shell("echo $$ > \(fifo); exec sleep 1000"), log: log,
            policy: .init(firstDelay: .milliseconds(1)))
        async let end: Void = supervisor.run()
        let first = try await readNumber(from: fifo)
        kill(first, SIGKILL)
        let second = try await readNumber(from: fifo)
        #expect(second != first)
        supervisor.stop()
        try await end
        #expect(kill(second, 0) != 0)
    }

    @Test("A process that keeps ending is given up with the end of its log")
    func givesUp() async throws {
        let supervisor = Supervisor(
            name: "child", launch: shell("echo wrong port; exit 1"), log: log, policy: .init(firstDelay: .zero))
        let error = await #expect(throws: CommandFailure.self) { try await supervisor.run() }
        #expect(error?.description.contains("child ended with exit status 1, again and again") == true)
        #expect(error?.description.hasSuffix("wrong port\nwrong port\nwrong port") == true)
    }

    @Test("A stop during the wait for a restart ends the supervisor at once")
    func stopsWhileWaiting() async throws {
        let supervisor = Supervisor(
            name: "child", launch: shell("exit 1"), log: log,
            policy: .init(firstDelay: .seconds(100_000), maximumDelay: .seconds(100_000)))
        async let end: Void = supervisor.run()
        supervisor.stop()
        try await end
    }

    /// Waits for a writer of the FIFO and returns what it writes.
    private func readNumber(from fifo: String) async throws -> pid_t {
        let text = await withCheckedContinuation { continuation in
            Thread {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 64)
                let file = open(fifo, O_RDONLY)
                while case let count = read(file, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
                close(file)
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }.start()
        }
        return try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
}
