import BlobStore
import Domain
import HTTPTypes
import Logging
import ScanReader
import Synchronization

/// Cut-outs of scans: made in confined child processes, and kept in memory while there is room.
final class CutOuts: Sendable {
    /// Bytes of all cut-outs kept.
    private static let capacity = 64 << 20

    struct Key: Hashable {
        let blob: BlobID
        /// Inside the file.
        let page: Int
        let target: String
    }

    private struct Cache {
        var images: [Key: (image: [UInt8], used: UInt64)] = [:]
        var bytes = 0
        var clock: UInt64 = 0
    }

    private let blobs: BlobStore
    private let reader: ScanReader
    private let limit = ConcurrencyLimit(2, maxWaiting: 64)
    private let cache = Mutex(Cache())

    init(blobs: BlobStore, reader: ScanReader) {
        self.blobs = blobs
        self.reader = reader
    }

    convenience init(blobs: BlobStore, logger: Logger) {
        var configuration = ScanReaderConfiguration()
        configuration.deadline = .seconds(15)
        self.init(blobs: blobs, reader: ScanReader(configuration: configuration, workers: 2, logger: logger))
    }

    /// A JPEG of an area of a page.
    ///
    /// - Throws: `Problem` when the page cannot be found on the scan any more, or too many cut-outs are being made.
    func image(_ key: Key, of page: LayoutPage, exam: ExamID, area: Box) async throws -> [UInt8] {
        if let known = known(key) { return known }
        let image = try await limit.run {
            do throws(ReadingFailure) {
                return try await reader.cutOut(
                    ScanSource(path: blobs.path(of: key.blob), page: key.page - 1), layout: SheetLayout(pages: [page]),
                    expectedExam: exam, area: area)
            } catch {
                throw Problem(
                    .serviceUnavailable, "image-unavailable", "The cut-out cannot be made: \(error.message)",
                    headers: [.retryAfter: "10"])
            }
        }
        keep(image, key)
        return image
    }

    private func known(_ key: Key) -> [UInt8]? {
        cache.withLock { cache in
            cache.clock += 1
            cache.images[key]?.used = cache.clock
            return cache.images[key]?.image
        }
    }

    private func keep(_ image: [UInt8], _ key: Key) {
        guard image.count <= Self.capacity / 8 else { return }
        cache.withLock { cache in
            cache.clock += 1
            if let old = cache.images.updateValue((image, cache.clock), forKey: key) { cache.bytes -= old.image.count }
            cache.bytes += image.count
            guard cache.bytes > Self.capacity else { return }
            // A quarter at once, so that this is seldom done.
            for (key, entry) in cache.images.sorted(by: { $0.value.used < $1.value.used }) {
                guard cache.bytes > Self.capacity * 3 / 4 else { break }
                cache.images[key] = nil
                cache.bytes -= entry.image.count
            }
        }
    }
}
