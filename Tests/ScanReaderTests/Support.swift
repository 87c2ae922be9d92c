import Domain
import Foundation
import Logging
import Testing

@testable import ScanReader

/// Executables of this build are next to the running test bundle.
func builtExecutable(_ name: String) -> String {
    let folder = ReaderInstallation.locate(environment: [:]).readerPath.split(separator: "/").dropLast()
    return "/" + folder.joined(separator: "/") + "/" + name
}

/// An order to the hostile reader: the start of a JPEG and the order.
func order(_ word: String) -> ScanSource {
    ScanSource(bytes: [0xFF, 0xD8, 0xFF] + Array("order:\(word)".utf8))
}

let someLayout = SheetLayout(pages: [
    LayoutPage(number: 1, width: 210, height: 297, cornerMarks: [], code: nil, fields: [])
])

/// A reader whose process obeys ``order(_:)``, shut down at the end.
func withHostileReader<Result>(
    workers: Int = 1, memoryLimit: Int = 768 << 20, deadline: Duration = .seconds(30), pagesPerChild: Int = 500,
    _ body: (ScanReader) async throws -> Result
) async throws -> Result {
    let configuration = ScanReaderConfiguration(
        readerPath: builtExecutable("HostileReader"), modelDirectory: nil, openVINODirectory: nil,
        memoryLimitBytes: memoryLimit, deadline: deadline, pagesPerChild: pagesPerChild)
    let reader = ScanReader(configuration: configuration, workers: workers, logger: Logger(label: "test"))
    do {
        let result = try await body(reader)
        await reader.shutdown()
        return result
    } catch {
        await reader.shutdown()
        throw error
    }
}

extension ScanReader {
    /// Field values by name.
    func values(_ scan: ScanSource) async throws(ReadingFailure) -> [String: String] {
        try await read(scan, layout: someLayout, expectedExam: nil).fields.mapValues(\.value)
    }
}

/// The failure `body` ends with.
func failure(_ body: () async throws(ReadingFailure) -> some Any) async -> ReadingFailure? {
    do throws(ReadingFailure) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
