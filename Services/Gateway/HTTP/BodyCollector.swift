import HTTPTypes
import Hummingbird
import NIOCore

/// Takes what a body writes.
struct BodyCollector: ResponseBodyWriter {
    private struct TooLong: Error {}

    private final class Collected {
        var bytes: [UInt8] = []
    }

    private let collected: Collected
    private let limit: Int

    /// - Returns: nil when it is longer than `limit`, or of a length not known beforehand.
    static func bytes(of body: ResponseBody, limit: Int) async throws -> [UInt8]? {
        guard let length = body.contentLength, length <= limit else { return nil }
        let collected = Collected()
        try await body.write(BodyCollector(collected: collected, limit: limit))
        return collected.bytes
    }

    mutating func write(_ buffer: ByteBuffer) async throws {
        guard collected.bytes.count + buffer.readableBytes <= limit else { throw TooLong() }
        collected.bytes += buffer.readableBytesView
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
