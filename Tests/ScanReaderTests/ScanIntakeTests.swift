import Foundation
import Synchronization
import Testing

@testable import ScanReader

@Suite struct ScanIntakeTests {
    /// Pages of a file with small limits; stored entries are counted from 0.
    private func intake(
        _ path: String, limits: ScanIntake.Limits = .init(maxPages: 50, maxArchiveEntries: 20)
    ) async throws(IntakeFailure) -> IntakeResult {
        let stored = Mutex(0)
        let folder = try! Samples.file([])
        let keeper = EntryKeeper {
            "\(folder)-\(stored.withLock { $0 })"
        } keep: { path throws(IntakeFailure) in
            unlink(path)
            return stored.withLock { count in
                defer { count += 1 }
                return "\(count)"
            }
        }
        return try await ScanIntake(limits: limits).pages(ofFileAt: path, name: "upload", keeper: keeper)
    }

    private func failure(_ path: String, limits: ScanIntake.Limits? = nil) async -> IntakeFailure? {
        do throws(IntakeFailure) {
            _ = try await intake(path, limits: limits ?? .init(maxPages: 50, maxArchiveEntries: 20))
            return nil
        } catch {
            return error
        }
    }

    private func expect(_ code: IntakeFailure.Code, _ path: String, limits: ScanIntake.Limits? = nil) async {
        let failure = await failure(path, limits: limits)
        #expect(failure?.code == code)
    }

    @Test func `a picture is one page, told by its content`() async throws {
        for (bytes, kind) in [
            (Samples.png(width: 100, height: 50), FileKind.png), (Samples.jpegHeader(width: 9, height: 9), .jpeg),
        ] {
            let result = try await intake(Samples.file(bytes))
            #expect(result.pages == [IntakePage(name: "upload", content: .upload, page: 0, kind: kind)])
        }
    }

    @Test func `a TIFF and a PDF have as many pages as they have`() async throws {
        let tiff = try await intake(Samples.file(Samples.tiff(pages: 7)))
        #expect(tiff.pages.map(\.page) == Array(0..<7) && tiff.pages.allSatisfy { $0.kind == .tiff })
        let pdf = try await intake(Samples.file(Samples.pdf(pages: 3)))
        #expect(pdf.pages.map(\.page) == [0, 1, 2] && pdf.pages.allSatisfy { $0.kind == .pdf })
    }

    @Test(
        arguments: [
            ([], IntakeFailure.Code.empty, "empty"),
            (Array("hello, this is text".utf8), .notAnImage, "PNG, JPEG"),
            ([0, 0, 0, 24] + Array("ftypheic".utf8), .notAnImage, "HEIC"),
            (Samples.png(width: 60_000, height: 60_000), .tooLarge, "60000 × 60000"),
            (Samples.png(width: .max, height: .max), .tooLarge, "pixels"),
            (Array(Samples.png(width: 10, height: 10).prefix(20)), .damaged, "PNG"),
            (Samples.jpegHeader(width: 65_000, height: 65_000), .tooLarge, "pixels"),
            (Array(Samples.jpegHeader(width: 10, height: 10).prefix(12)), .damaged, "JPEG"),
            (Samples.tiff(pages: 1, width: 60_000, height: 60_000), .tooLarge, "pixels"),
            (Samples.tiff(pages: 3, last: 8), .damaged, "circle"),
            (Samples.tiff(pages: 3, last: 4_000_000), .damaged, "TIFF"),
            (Samples.tiff(pages: 51), .tooManyPages, "50"),
            (Samples.pdf(pages: 51), .tooManyPages, "50"),
            (Array(Samples.pdf(pages: 2).prefix(40)), .damaged, "PDF"),
            (Samples.protectedPDF, .damaged, "password"),
        ] as [([UInt8], IntakeFailure.Code, String)])
    func `a hopeless file is refused with its reason`(
        bytes: [UInt8], code: IntakeFailure.Code, word: String
    ) async throws {
        let failure = await failure(try Samples.file(bytes))
        #expect(failure?.code == code)
        #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "none")")
    }

    @Test func `an archive gives the pages of its scans and names what it refuses`() async throws {
        let inner = try Data(contentsOf: URL(filePath: Samples.zip([("x.png", Samples.png(width: 5, height: 5))])))
        let path = try Samples.zip([
            ("b.tif", Samples.tiff(pages: 2)), ("a.png", Samples.png(width: 5, height: 5)), ("class/", []),
            ("class/notes.txt", Array("notes".utf8)), ("inner.zip", [UInt8](inner)),
            ("huge.png", Samples.png(width: 60_000, height: 60_000)), ("__MACOSX/a.png", Array("junk".utf8)),
            (".DS_Store", Array("junk".utf8)), ("class/c.pdf", Samples.pdf(pages: 1)),
        ])
        let result = try await intake(path)
        #expect(result.pages.map(\.name) == ["upload/a.png", "upload/b.tif", "upload/b.tif", "upload/class/c.pdf"])
        #expect(result.pages.map(\.page) == [0, 0, 1, 0])
        #expect(result.pages.map(\.content) == [.stored("0"), .stored("1"), .stored("1"), .stored("2")])
        let refused = Dictionary(uniqueKeysWithValues: result.refused.map { ($0.name, $0.failure.code) })
        #expect(
            refused == [
                "upload/class/notes.txt": .notAnImage, "upload/inner.zip": .nestedArchive, "upload/huge.png": .tooLarge,
            ])
    }

    @Test func `names packed by a Chinese Windows are readable`() async throws {
        // 三班 in GB 18030.
        let result = try await intake(
            Samples.zip([(name: [0xC8, 0xFD, 0xB0, 0xE0], bytes: Samples.png(width: 5, height: 5))]))
        #expect(result.pages.map(\.name) == ["upload/三班"])
    }

    @Test func `a ZIP bomb is not unpacked`() async throws {
        let zeros = [UInt8](repeating: 0, count: 80 << 20)
        let failure = await failure(try Samples.zip([("a.png", zeros), ("b.png", zeros)]))
        #expect(failure?.code == .archiveTooLarge)
        #expect(failure?.message.contains("times its size") == true)
    }

    @Test func `an archive beyond the limits is refused as a whole`() async throws {
        let picture = Samples.png(width: 5, height: 5)
        let many = try Samples.zip((0..<21).map { ("\($0).png", picture) })
        await expect(.archiveTooLarge, many)
        let large = try Samples.zip([("a.png", picture + [UInt8](repeating: 7, count: 5_000))])
        await expect(.archiveTooLarge, large, limits: .init(maxArchiveBytes: 4_000))
        let pages = try Samples.zip([("a.tif", Samples.tiff(pages: 30)), ("b.tif", Samples.tiff(pages: 30))])
        await expect(.tooManyPages, pages)
    }

    @Test func `an archive that lies about a size loses that entry only`() async throws {
        let path = try Samples.zip([
            ("a.png", Samples.png(width: 5, height: 5) + [UInt8](repeating: 7, count: 5_000)),
            ("b.png", Samples.png(width: 5, height: 5)),
        ])
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let directory = try #require(bytes.firstRange(of: [0x50, 0x4B, 1, 2])?.lowerBound)
        // The unpacked size in the central directory.
        bytes.replaceSubrange(directory + 24..<directory + 28, with: [100, 0, 0, 0])
        let result = try await intake(Samples.file(bytes))
        #expect(result.pages.map(\.name) == ["upload/b.png"])
        #expect(result.refused.map(\.name) == ["upload/a.png"])
        #expect(result.refused.first?.failure.code == .damaged)
    }

    @Test func `an archive that is cut short or holds nothing is refused`() async throws {
        let path = try Samples.zip([("a.png", Samples.png(width: 5, height: 5))])
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        try await expect(.damaged, Samples.file(Array(bytes.dropLast(30))))
        try await expect(.noScans, Samples.zip([("a.txt", Array("text".utf8))]))
    }
}
