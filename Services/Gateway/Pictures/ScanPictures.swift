import BlobStore
import Domain
import HTTPTypes
import Hummingbird
import Logging
import ScanReader
import Synchronization

/// Pictures of scanned pages and of parts of them: made in confined child processes, and kept in memory while there is
/// room.
final class ScanPictures: Sendable {
    /// Bytes of all pictures kept.
    private static let capacity = 64 << 20

    /// Which picture it is, the same for all who see the same.
    struct Key: Hashable {
        let exam: ExamID
        let blob: BlobID
        /// The page inside the file, 1 for the first.
        let filePage: Int
        /// The field it shows; nil for the whole page.
        let field: String?

        var entityTag: String { "\"\(blob.rawValue.prefix(32))-\(filePage)-\(field ?? "page")\"" }
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

    /// Answers a call with a picture, or that its caller has it.
    ///
    /// - Parameters:
    ///   - area: as `picture(_:area:layout:)` takes it.
    ///   - layout: asked for only when a picture is to be sent.
    func response(
        to call: Call, _ key: Key, area: Box?, layout: () async throws -> SheetLayout
    ) async throws -> Response {
        let headers: HTTPFields = [
            .eTag: key.entityTag, .cacheControl: "private, max-age=3600",
            .contentSecurityPolicy: "default-src 'none'; sandbox",
        ]
        if let seen = call.request.headers[.ifNoneMatch], EntityTag.list(seen, matches: key.entityTag) {
            return Response(status: .notModified, headers: headers)
        }
        return .bytes(
            try await picture(key, area: area, layout: try await layout()), type: "image/jpeg", headers: headers)
    }

    /// A grey JPEG.
    ///
    /// - Parameters:
    ///   - area: the part that shows the field of `key`, in millimetres on the only page of `layout`; nil for all of it.
    ///   - layout: of the pages it may be.
    /// - Throws: `Problem` when the part cannot be found on the scan, or too many pictures are being made.
    private func picture(_ key: Key, area: Box?, layout: SheetLayout) async throws -> [UInt8] {
        if let known = known(key) { return known }
        let image = try await limit.run {
            do throws(ReadingFailure) {
                return try await reader.picture(
                    of: area.map { .area($0) } ?? .page,
                    ScanSource(path: blobs.path(of: key.blob), page: key.filePage - 1), layout: layout,
                    expectedExam: key.exam)
            } catch {
                throw Problem(
                    .serviceUnavailable, "image-unavailable", "The picture cannot be made: \(error.message)",
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
