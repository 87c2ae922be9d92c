import Foundation
import Glibc
import Synchronization
import Testing

@testable import ScanReader

/// Archives made to harm, and an unpacker that is harmed.
@Suite struct HostileArchiveTests {
    private static let picture = Samples.png(width: 5, height: 5)

    private func intake(
        _ path: String, limits: ScanIntake.Limits = .init(), unpacker: String? = nil
    ) async throws(IntakeFailure) -> IntakeResult {
        var intake = ScanIntake(limits: limits)
        if let unpacker { intake.unpackerPath = unpacker }
        return try await intake.pages(ofFileAt: path, name: "z", keeper: Self.keeper(Kept()))
    }

    private final class Kept: Sendable {
        let paths = Mutex<[String]>([])
    }

    private static func keeper(_ kept: Kept) -> EntryKeeper {
        EntryKeeper {
            "\(FileManager.default.temporaryDirectory.path)/zhiyue-entry-\(UUID())"
        } keep: { path throws(IntakeFailure) in
            kept.paths.withLock { $0.append(path) }
            unlink(path)
            return path
        }
    }

    private func failure(
        _ path: String, limits: ScanIntake.Limits = .init(), unpacker: String? = nil
    ) async -> IntakeFailure? {
        do throws(IntakeFailure) {
            _ = try await intake(path, limits: limits, unpacker: unpacker)
            return nil
        } catch {
            return error
        }
    }

    private func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path)))
    }

    /// Where each entry's record in the directory at the end begins.
    private func records(_ bytes: [UInt8]) -> [Int] {
        bytes.indices.dropLast(46).filter { bytes[$0..<$0 + 4].elementsEqual([0x50, 0x4B, 1, 2]) }
    }

    @Test func `a name that leads elsewhere is a name and nothing else`() async throws {
        let kept = Kept()
        let path = try Samples.zip([("../../etc/cron.d/a.png", Self.picture), ("/b.png", Self.picture)])
        let result = try await ScanIntake().pages(ofFileAt: path, name: "z", keeper: Self.keeper(kept))
        #expect(result.pages.map(\.name) == ["z/../../etc/cron.d/a.png", "z//b.png"])
        let folder = FileManager.default.temporaryDirectory.path
        #expect(kept.paths.withLock { $0.allSatisfy { $0.hasPrefix("\(folder)/zhiyue-entry-") } })
    }

    @Test func `links and devices are refused`() async throws {
        let path = try Samples.zip([("a.png", Array("/etc/passwd".utf8)), ("b.png", Self.picture)])
        var bytes = try bytes(path)
        let record = try #require(records(bytes).first)
        // Made by Unix; a symbolic link.
        bytes[record + 5] = 3
        bytes.replaceSubrange(record + 38..<record + 42, with: [0, 0, 0xFF, 0xA1])
        let result = try await intake(Samples.file(bytes))
        #expect(result.pages.map(\.name) == ["z/b.png"])
        #expect(result.refused.map(\.name) == ["z/a.png"])
        #expect(result.refused.first?.failure.message.contains("link") == true)
    }

    @Test func `an entry with a wrong checksum is refused alone, and leaves no file`() async throws {
        let path = try Samples.zip([("a.png", Self.picture + [UInt8](1...200)), ("b.png", Self.picture)])
        var bytes = try bytes(path)
        bytes[try #require(records(bytes).first) + 16] ^= 1
        let kept = Kept()
        let result = try await ScanIntake().pages(ofFileAt: Samples.file(bytes), name: "z", keeper: Self.keeper(kept))
        #expect(result.pages.map(\.name) == ["z/b.png"])
        #expect(result.refused.map(\.failure.code) == [.damaged])
        #expect(kept.paths.withLock { $0.count } == 1)
    }

    @Test func `entries that share their bytes count each`() async throws {
        let path = try Samples.zip((10..<30).map { ("\($0).png", Self.picture + [UInt8](repeating: 7, count: 50_000)) })
        var bytes = try bytes(path)
        let all = records(bytes)
        for record in all.dropFirst() {
            bytes.replaceSubrange(record + 42..<record + 46, with: bytes[all[0] + 42..<all[0] + 46])
        }
        let failure = await failure(try Samples.file(bytes), limits: .init(maxArchiveBytes: 900_000))
        #expect(failure?.code == .archiveTooLarge)
    }

    @Test func `more entries than the end of the file admits are found before any is unpacked`() async throws {
        // 65,546 entries, of which 16 bits can tell ten.
        var record: [UInt8] = [0x50, 0x4B, 1, 2] + [UInt8](repeating: 0, count: 42) + Array("a".utf8)
        record[28] = 1
        let count = 65_546
        var file: [UInt8] = [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 26)
        let start = file.count
        for _ in 0..<count { file += record }
        func little(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        file += [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 10, 0, 10, 0] + little(count * record.count) + little(start) + [0, 0]
        let failure = await failure(try Samples.file(file), limits: .init(maxArchiveEntries: 20))
        #expect(failure?.code == .archiveTooLarge, "\(failure?.message ?? "taken")")
    }

    @Test func `noise behind the signature is damaged`() async throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20 {
            let noise = (0..<500).map { _ in UInt8.random(in: 0...255, using: &random) }
            let file = try Samples.file([0x50, 0x4B, 3, 4] + noise + [0x50, 0x4B, 5, 6] + noise.prefix(18))
            let failure = await failure(file)
            #expect(failure?.code == .damaged || failure?.code == .archiveTooLarge, "\(failure?.message ?? "taken")")
        }
    }

    @Test(arguments: ["/nonexistent/scan-unpacker", "/bin/true", "/bin/false"])
    func `without a working unpacker the upload has to come again, and no path is told`(unpacker: String) async throws {
        let failure = await failure(try Samples.zip([("a.png", Self.picture)]), unpacker: unpacker)
        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains(unpacker) == false)
    }

    @Test func `what takes longer than allowed is stopped`() async throws {
        let failure = await failure(
            try Samples.zip([("a.png", Self.picture)]), limits: .init(archiveDeadline: .zero))
        #expect(failure?.code == .archiveTooLarge)
        #expect(failure?.message.contains("too long") == true)
    }

    @Test func `an unpacker that is killed in the middle is not the file's fault, and leaves no file`() async throws {
        var random = SystemRandomNumberGenerator()
        let large = Self.picture + (0..<3_000_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        let place = "\(FileManager.default.temporaryDirectory.path)/zhiyue-killed-\(UUID())"
        let count = Mutex(0)
        let unpacker = try ArchiveUnpacker(
            Samples.zip([("a.png", Self.picture), ("b.png", large)]), program: builtExecutable("scan-unpacker"),
            limits: UnpackLimits(
                maxEntries: 10, maxBytes: 1 << 30, maxEntryBytes: 1 << 30, maxRatio: 100, ratioFreeBytes: 1 << 30),
            until: .now + .seconds(60)
        ) {
            count.withLock { count in
                count += 1
                return "\(place)-\(count)"
            }
        }
        var first: ArchiveUnpacker.Item? = try await unpacker.next()
        #expect(first != nil)
        kill(unpacker.processID, SIGKILL)
        let failure = await #expect(throws: IntakeFailure.self) { try await unpacker.next() }
        #expect(failure?.code == .unavailable)
        first = nil
        #expect(access("\(place)-1", F_OK) != 0 && access("\(place)-2", F_OK) != 0)
    }
}
