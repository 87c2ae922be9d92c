import Domain
import Foundation
import Glibc
import Logging
import TestSupport
import Testing

@testable import ScanReader

/// Reader processes that are killed, stopped, cancelled or orphaned.
@Suite struct InterruptionTests {
    /// The process of a worker once it sleeps in the order "hang"; nothing shorter than that order sleeps.
    private func hangingProcess(of worker: ReaderWorker) async -> Int32 {
        while true {
            if let process = worker.workingProcess, isAsleep(process) { return process }
            await Task.yield()
        }
    }

    private func isAsleep(_ process: Int32) -> Bool {
        let name = (try? BoundedFile.read("/proc/\(process)/wchan", limit: 100)) ?? []
        return String(decoding: name, as: UTF8.self).contains("nanosleep")
    }

    private func isRunning(_ process: Int32) -> Bool {
        kill(process, 0) == 0
    }

    private func withWorker(
        deadline: Duration = .seconds(60), _ body: (ReaderWorker) async throws -> Void
    ) async throws {
        let configuration = ScanReaderConfiguration(
            readerPath: builtExecutable("HostileReader"), modelDirectory: nil, openVINODirectory: nil,
            deadline: deadline)
        let worker = ReaderWorker(configuration, logger: Logger(label: "test"))
        try await body(worker)
        await worker.stop()
    }

    @Test func `a process killed in the middle of its first page fails that page`() async throws {
        try await withWorker { worker in
            async let hanging = worker.read(order("hang"), .layout(someLayout, expectedExam: nil))
            kill(await hangingProcess(of: worker), SIGKILL)
            let failed = await hanging
            #expect(throws: ReadingFailure.self) { try failed.get() }
            if case .failure(let failure) = failed { #expect(failure.code == .readerCrashed) }
            let next = await worker.read(order("echo"), .layout(someLayout, expectedExam: nil))
            guard case .reading(let reading) = try next.get() else { throw CancellationError() }
            #expect(reading.fields["process"] != nil)
        }
    }

    @Test func `a process killed between pages is replaced without a word`() async throws {
        try await withHostileReader { reader in
            let echo = try await reader.values(order("echo"))
            let first = try #require(Int32(echo["process"] ?? ""))
            kill(first, SIGKILL)
            let second = try await reader.values(order("echo"))["process"]
            #expect(second != nil && second != "\(first)")
        }
    }

    @Test func `a process that is stopped is given up at the deadline and ends`() async throws {
        try await withHostileReader(deadline: .seconds(2)) { reader in
            let echo = try await reader.values(order("echo"))
            let process = try #require(Int32(echo["process"] ?? ""))
            kill(process, SIGSTOP)
            let failure = await failure { () throws(ReadingFailure) in try await reader.values(order("echo")) }
            #expect(failure?.code == .timedOut)
            #expect(!isRunning(process))
        }
    }

    @Test func `cancelling kills the process and frees the worker`() async throws {
        try await withWorker { worker in
            let pool = WorkerPool([worker])
            let task = Task {
                let worker = try #require(await pool.borrow())
                defer { pool.giveBack(worker) }
                return try await withTaskCancellationHandler {
                    try await worker.read(order("hang"), .layout(someLayout, expectedExam: nil)).get()
                } onCancel: {
                    worker.interrupt()
                }
            }
            let process = await hangingProcess(of: worker)
            task.cancel()
            let result = await task.result
            #expect(throws: ReadingFailure(.timedOut, "Reading was cancelled.")) { try result.get() }
            #expect(!isRunning(process))
            let again = await pool.borrow()
            #expect(again === worker)
        }
    }

    @Test func `cancelling kills the program that draws a PDF, too`() async throws {
        try await withWorker { worker in
            let task = Task {
                await withTaskCancellationHandler {
                    await worker.read(ScanSource(bytes: EndlessPDF.bytes), .layout(someLayout, expectedExam: nil))
                } onCancel: {
                    worker.interrupt()
                }
            }
            let process = await drawingProcess(of: worker)
            task.cancel()
            let result = await task.value
            #expect(throws: ReadingFailure(.timedOut, "Reading was cancelled.")) { try result.get() }
            #expect(!isRunning(process))
        }
    }

    private func drawingProcess(of worker: ReaderWorker) async -> Int32 {
        while true {
            if let process = worker.workingProcess {
                let name = (try? BoundedFile.read("/proc/\(process)/comm", limit: 100)) ?? []
                if String(decoding: name, as: UTF8.self).contains("pdftocairo") { return process }
            }
            await Task.yield()
        }
    }

    @Test func `whoever waits for a worker stops waiting when cancelled`() async throws {
        let pool = WorkerPool([1])
        let borrowed = await pool.borrow()
        let waiting = Task { await pool.borrow() }
        waiting.cancel()
        let nothing = await waiting.value
        #expect(nothing == nil)
        pool.giveBack(try #require(borrowed))
        let again = await pool.borrow()
        #expect(again == 1)
    }

    @Test func `a process is replaced after its share of pages`() async throws {
        try await withHostileReader(pagesPerChild: 2) { reader in
            var processes: [String?] = []
            for _ in 0..<5 { processes.append(try await reader.values(order("echo"))["process"]) }
            #expect(processes[0] == processes[1] && processes[2] == processes[3])
            #expect(Set(processes).count == 3)
        }
    }

    @Test func `shutdown ends every process, and later pages fail`() async throws {
        let process = try await withHostileReader { reader in try await reader.values(order("echo"))["process"] }
        #expect(!isRunning(try #require(Int32(process ?? ""))))
    }

    @Test func `no child survives its parent`() throws {
        let parent = Process()
        parent.executableURL = URL(filePath: builtExecutable("HostileReader"))
        parent.environment = ["HOSTILE_ORDER": "parent"]
        let output = Pipe()
        parent.standardOutput = output
        try parent.run()
        let child = try #require(Int32(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)))
        #expect(isRunning(child))
        kill(parent.processIdentifier, SIGKILL)
        parent.waitUntilExit()
        // The kernel kills the orphan at once; its new parent has to wait for it before the number is free.
        while isRunning(child), !isZombie(child) { sched_yield() }
        #expect(!isRunning(child) || isZombie(child))
    }

    private func isZombie(_ process: Int32) -> Bool {
        let status = (try? BoundedFile.read("/proc/\(process)/stat", limit: 4_096)) ?? []
        return String(decoding: status, as: UTF8.self).contains(") Z ")
    }
}
