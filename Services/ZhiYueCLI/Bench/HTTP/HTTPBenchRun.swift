internal import AsyncHTTPClient
internal import Domain
internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1

/// One run of the bench.
struct HTTPBenchRun {
    let options: HTTPBench
    let server: BenchServer

    func measure() async throws -> HTTPBenchFigures {
        let gateway = try await BenchGateway(server)
        let emptyPort = try ListeningPort.check(host: "127.0.0.1", port: 0)
        let empty = try server.process("empty", ["empty-http-server", "--port", "\(emptyPort)"])
        return try await server.with([gateway.process, empty]) {
            try await GatewayProbe(url: gateway.url).waitUntilReady()
            let exam = try await APIClient(base: gateway.url, token: gateway.token).createExam(draft)
            let address = "\(gateway.url)/api/exams/\(exam.id)"
            let authorization = "Authorization: Bearer \(gateway.token)"
            let bytes = try await size(of: address, token: gateway.token)
            var examRounds: [HTTPBenchFigures.Round] = []
            var emptyRounds: [HTTPBenchFigures.Round] = []
            for round in 1...options.rounds {
                if !options.json { writeError("round \(round) of \(options.rounds)") }
                emptyRounds.append(try await wrk("empty-\(round)", "http://127.0.0.1:\(emptyPort)/", []))
                examRounds.append(try await wrk("exam-\(round)", address, ["-H", authorization]))
            }
            return HTTPBenchFigures(
                connections: options.connections, bytes: bytes, exam: examRounds, empty: emptyRounds)
        }
    }

    private var draft: ExamDraft {
        let questions = (1...options.questions).map { number in
            Question(number: number, kind: .singleChoice, points: 2, options: 4, answer: "B")
        }
        return ExamDraft(title: "Bench", subject: "Bench", studentIDDigits: 8, questions: questions)
    }

    private func size(of address: String, token: String) async throws -> Int {
        var request = HTTPClientRequest(url: address)
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
        return try await response.body.collect(upTo: 1 << 20).readableBytes
    }

    /// The program's own output is the only interface it has.
    private func wrk(_ name: String, _ address: String, _ arguments: [String]) async throws -> HTTPBenchFigures.Round {
        let log = try ChildLog(name: "wrk-\(name)", directory: server.path, showsWarnings: false)
        let process = ChildProcess(
            ChildProcess.Launch(
                executable: "/usr/bin/wrk",
                arguments: [
                    "-t1", "-c\(options.connections)", "-d\(options.seconds)s", "--latency", "--timeout", "5s",
                ] + arguments + [address], environment: [:]), log: log)
        let ending: ChildProcess.Ending
        do {
            ending = try await process.run()
        } catch {
            throw CommandFailure("\(error). `deploy/tools/deps.sh --bench` installs wrk")
        }
        guard ending == .status(0) else { throw CommandFailure("wrk ended \(ending): \(log.lastLines)") }
        return try WrkReport.round(try String(contentsOfFile: log.path, encoding: .utf8))
    }
}

/// What wrk prints.
enum WrkReport {
    /// - Throws: `CommandFailure` when it is not what wrk prints.
    static func round(_ text: String) throws(CommandFailure) -> HTTPBenchFigures.Round {
        var rate: Double?
        var percentiles: [String: Double] = [:]
        var failed = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "Requests/sec:": rate = Double(words[1])
            case "50%", "99%": percentiles[words[0]] = milliseconds(words[1])
            case "Non-2xx": failed += words.last.flatMap { Int($0) } ?? 0
            case "Socket":
                failed += words.compactMap { Int($0.filter { $0 != "," }) }.reduce(0, +)
            default: break
            }
        }
        guard let rate, let p50 = percentiles["50%"], let p99 = percentiles["99%"] else {
            throw CommandFailure("wrk printed no figures: \(text.prefix(500))")
        }
        return HTTPBenchFigures.Round(requestsPerSecond: rate, p50: p50, p99: p99, failed: failed)
    }

    private static func milliseconds(_ text: String) -> Double? {
        for (unit, factor) in [("us", 0.001), ("ms", 1), ("s", 1000)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { rounded($0 * factor) }
        }
        return nil
    }
}
