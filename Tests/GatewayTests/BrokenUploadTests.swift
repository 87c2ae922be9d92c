import BlobStore
import Domain
import Foundation
import Glibc
import ServiceKit
import Testing

@testable import Gateway

/// Uploads that stop, crawl, lie about their length, or meet a full disk: each ends, with an answer where there is still
/// somebody to read it, and leaves nothing on disk.
@Suite struct BrokenUploadTests {
    private static let boundary = "b"

    private func head(_ token: String, length: Int, more: String = "") -> String {
        """
        POST /api/upload HTTP/1.1\r
        Host: test\r
        Authorization: Bearer \(token)\r
        Content-Type: multipart/form-data; boundary=\(Self.boundary)\r
        Content-Length: \(length)\r
        \(more)\r

        """
    }

    /// The form up to the end of the file's bytes, and what follows those.
    private func form(_ exam: String, _ file: [UInt8]) -> (start: [UInt8], end: [UInt8]) {
        let begin =
            "--b\r\nContent-Disposition: form-data; name=\"exam_id\"\r\n\r\n\(exam)\r\n--b\r\n"
            + "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n"
        return (Array(begin.utf8) + file, Array("\r\n--b--\r\n".utf8))
    }

    private func files(_ gateway: RunningGateway) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: gateway.incoming)
    }

    private func until(_ condition: () throws -> Bool) async throws {
        while try !condition() { await Task.yield() }
    }

    @Test(.timeLimit(.minutes(4)))
    func `a client that goes away in the middle leaves nothing behind`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let (start, _) = form(exam, RunningGateway.png(1, bytes: 600_000))
            var socket: RawSocket? = try await RawSocket.open(port: gateway.port)
            try await socket?.send(head(try await gateway.token(), length: 2_000_000))
            try await socket?.send(bytes: start)
            try await until { try files(gateway).count == 1 }
            socket = nil
            try await until { try files(gateway).isEmpty }
            #expect(try await gateway.send("GET", "/api/exams/\(exam)/sheets").items.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func `a client that falls silent in the middle is cut off after the idle time`() async throws {
        var configuration = GatewayConfiguration()
        configuration.idleTimeout = .seconds(3)
        try await RunningGateway.run(configuration) { gateway in
            let exam = try await gateway.createExam()
            let (start, _) = form(exam, RunningGateway.png(1, bytes: 600_000))
            let request = Array(head(try await gateway.token(), length: 2_000_000).utf8)
            let socket = try await RawSocket.open(port: gateway.port)
            try await socket.send(bytes: request + start)
            try await until { try files(gateway).count == 1 }
            // Ends because the gateway closes.
            _ = try await socket.readToEnd()
            try await until { try files(gateway).isEmpty }
        }
    }

    @Test func `an upload that crawls is told so`() async throws {
        var configuration = GatewayConfiguration()
        configuration.upload.minRate = .max
        configuration.upload.slowStart = .zero
        try await RunningGateway.run(configuration) { gateway in
            let exam = try await gateway.createExam()
            let answer = try await gateway.upload(exam, [("a.png", RunningGateway.png(1))])
            #expect(answer.status == 408)
            #expect(answer.problem == "upload-too-slow")
            #expect(try files(gateway).isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func `a form that is longer than announced is cut there, and is no form then`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let (start, end) = form(exam, RunningGateway.png(1, bytes: 300_000))
            let socket = try await RawSocket.open(port: gateway.port)
            try await socket.send(head(try await gateway.token(), length: start.count - 1_000))
            try await socket.send(bytes: start + end)
            let answer = try await socket.read(until: "\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            try await until { try files(gateway).isEmpty }
            #expect(try await gateway.send("GET", "/api/exams/\(exam)/sheets").items.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func `an upload sent again with the same key while the first still comes in is done once`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let token = try await gateway.token()
            let (start, end) = form(exam, RunningGateway.png(1, bytes: 600_000))
            let first = try await RawSocket.open(port: gateway.port)
            let request = head(token, length: start.count + end.count, more: "Idempotency-Key: k1\r\n")
            try await first.send(request)
            try await first.send(bytes: Array(start.prefix(400_000)))
            try await until { try files(gateway).count == 1 }

            let second = try await RawSocket.open(port: gateway.port)
            try await second.send(request)
            try await second.send(bytes: start + end)
            let done = try await second.read(until: "correlation_id")
            #expect(done.hasPrefix("HTTP/1.1 202"), "\(done)")

            try await first.send(bytes: Array(start.dropFirst(400_000)) + end)
            let answer = try await first.read(until: "correlation_id")
            #expect(answer.hasPrefix("HTTP/1.1 202"), "\(answer)")
            #expect(answer.lowercased().contains("idempotency-replayed: true"))
            #expect(try await gateway.send("GET", "/api/exams/\(exam)/sheets").items.count == 1)
            try await until { try files(gateway).isEmpty }
        }
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "needs the right to mount"), arguments: ["png", "zip"])
    func `a full disk is told and leaves nothing behind`(kind: String) async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let folder = gateway.context.blobs.directory
            // Room for the archive, and not for what is in it.
            let disk = try SmallDisk(at: folder, bytes: 1 << 20)
            defer { disk.remove() }
            for name in ["incoming", "blobs"] { mkdir("\(folder)/\(name)", 0o750) }
            let scan = RunningGateway.png(1, bytes: kind == "png" ? 3 << 20 : 700_000)
            let file = kind == "png" ? scan : StoredZip.bytes([("a.png", scan), ("b.png", scan)])
            let full = try await gateway.upload(exam, [("a.\(kind)", file)])
            #expect(full.status == 507, "\(full.text)")
            #expect(full.problem == (kind == "png" ? "storage-full" : "upload-rejected") || kind == "zip")
            #expect(!full.text.contains(folder))
            #expect(try files(gateway).isEmpty)
            #expect(try await gateway.send("GET", "/api/exams/\(exam)/sheets").items.isEmpty)
            let small = try await gateway.upload(exam, [("b.png", RunningGateway.png(2))])
            #expect(small.status == 202, "\(small.text)")
        }
    }
}

/// A file system of a few bytes, at a folder.
private struct SmallDisk {
    struct Failure: Error {
        let number: Int32
    }

    static let isAllowed: Bool = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("small-disk-\(getpid())").path
        mkdir(folder, 0o700)
        defer { rmdir(folder) }
        guard let disk = try? SmallDisk(at: folder, bytes: 1 << 16) else { return false }
        disk.remove()
        return true
    }()

    let folder: String

    init(at folder: String, bytes: Int) throws {
        guard mount("tmpfs", folder, "tmpfs", 0, "size=\(bytes)") == 0 else { throw Failure(number: errno) }
        self.folder = folder
    }

    func remove() {
        umount2(folder, Int32(MNT_DETACH))
    }
}

/// A ZIP of entries as they are.
enum StoredZip {
    static func bytes(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        func little(_ number: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
        }
        for (name, content) in entries {
            let name = Array(name.utf8)
            let entry =
                little(20, 2) + little(0x800, 2) + little(0, 4) + little(0x5C21, 2) + little(Int(crc32(content)), 4)
                + little(content.count, 4) + little(content.count, 4) + little(name.count, 2) + little(0, 2)
            directory += [0x50, 0x4B, 1, 2] + little(20, 2) + entry + little(0, 10) + little(bytes.count, 4) + name
            bytes += [0x50, 0x4B, 3, 4] + entry + name + content
        }
        return bytes + directory + [0x50, 0x4B, 5, 6] + little(0, 4) + little(entries.count, 2)
            + little(entries.count, 2) + little(directory.count, 4) + little(bytes.count, 4) + little(0, 2)
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
    }
}
