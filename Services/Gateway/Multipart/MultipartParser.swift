import Glibc
import NIOCore

/// Cuts a `multipart/form-data` body (RFC 7578, RFC 2046) into parts, as it arrives.
///
/// A pure state machine: `feed` takes bytes as they come, `next` gives what is in them so far. However the bytes are
/// split, the parts and their contents are the same. It is strict: no preamble, no epilogue, no folded headers, no
/// nested multipart, no transfer encodings; and bounded: it never holds more than one header block or one boundary
/// besides the bytes fed last. After it has thrown it must not be used again.
struct MultipartParser {
    struct Limits: Equatable, Sendable {
        /// All header lines of one part together.
        var headerBytes = 8192
        var headerFields = 16
        var parts = 1100
    }

    enum Event: Equatable {
        case partBegan(MultipartPartHead)
        /// Never empty.
        case partData(ByteBuffer)
        case partEnded
        /// The closing boundary was read; nothing but one line break may follow.
        case ended
    }

    private enum State {
        /// Before the first boundary.
        case start
        /// Behind a boundary: a line break begins a part, two hyphens end the body.
        case afterBoundary
        case headers
        case body
        case ended
    }

    private let limits: Limits
    /// `--boundary`
    private let opening: [UInt8]
    /// `\r\n--boundary`
    private let delimiter: [UInt8]
    private var state = State.start
    private var unread = ByteBuffer()
    /// How many bytes of `unread` are known to hold no end of a header block.
    private var searched = 0
    private var parts = 0

    /// - Parameter boundary: as the content type names it.
    init(boundary: MultipartBoundary, limits: Limits = Limits()) {
        self.limits = limits
        opening = Array("--".utf8) + boundary.bytes
        delimiter = Array("\r\n".utf8) + opening
    }

    mutating func feed(_ buffer: ByteBuffer) {
        if unread.readableBytes == 0 {
            unread = buffer
        } else {
            var buffer = buffer
            unread.discardReadBytes()
            unread.writeBuffer(&buffer)
        }
    }

    /// - Returns: The next event, or nil when more bytes are needed.
    mutating func next() throws(MultipartError) -> Event? {
        while true {
            switch state {
            case .start:
                guard try consume(opening, else: "the body must begin with the boundary") else { return nil }
                state = .afterBoundary
            case .afterBoundary:
                guard let line = unread.getBytes(at: unread.readerIndex, length: 2) else {
                    try checkBeginningOfLine()
                    return nil
                }
                unread.moveReaderIndex(forwardBy: 2)
                if line == Array("--".utf8) {
                    state = .ended
                    return .ended
                }
                guard line == Array("\r\n".utf8) else { throw MultipartError(.malformed, "text behind a boundary") }
                parts += 1
                guard parts <= limits.parts else {
                    throw MultipartError(.tooLarge, "more than \(limits.parts) parts")
                }
                searched = 0
                state = .headers
            case .headers:
                guard let head = try nextHead() else { return nil }
                state = .body
                return .partBegan(head)
            case .body:
                if let data = nextData() { return .partData(data) }
                guard beginsWithDelimiter else { return nil }
                unread.moveReaderIndex(forwardBy: delimiter.count)
                state = .afterBoundary
                return .partEnded
            case .ended:
                try checkEpilogue()
                return nil
            }
        }
    }

    /// To be called when the input has ended.
    /// - Throws: `MultipartError` unless the closing boundary was read.
    func finish() throws(MultipartError) {
        guard case .ended = state else { throw MultipartError(.malformed, "the body ends before its closing boundary") }
    }

    // MARK: Pieces

    /// - Returns: false when `expected` is not complete yet.
    private mutating func consume(_ expected: [UInt8], else message: String) throws(MultipartError) -> Bool {
        let view = unread.readableBytesView.prefix(expected.count)
        guard view.elementsEqual(expected.prefix(view.count)) else { throw MultipartError(.malformed, message) }
        guard view.count == expected.count else { return false }
        unread.moveReaderIndex(forwardBy: expected.count)
        return true
    }

    /// One byte behind a boundary is there: it must be able to become a line break or two hyphens.
    private func checkBeginningOfLine() throws(MultipartError) {
        guard let first = unread.readableBytesView.first else { return }
        guard first == UInt8(ascii: "\r") || first == UInt8(ascii: "-") else {
            throw MultipartError(.malformed, "text behind a boundary")
        }
    }

    private func checkEpilogue() throws(MultipartError) {
        let rest = unread.readableBytesView
        guard rest.count <= 2, rest.elementsEqual("\r\n".utf8.prefix(rest.count)) else {
            throw MultipartError(.malformed, "text behind the closing boundary")
        }
    }

    private mutating func nextHead() throws(MultipartError) -> MultipartPartHead? {
        let view = unread.readableBytesView
        let end = Array("\r\n\r\n".utf8)
        // A part with no header at all begins with the empty line.
        if view.starts(with: "\r\n".utf8) { throw MultipartError(.malformed, "a part without headers") }
        var index = view.startIndex + max(0, searched - end.count + 1)
        while let lineEnd = view[index...].firstIndex(of: UInt8(ascii: "\r")) {
            guard lineEnd + end.count <= view.endIndex else { break }
            if view[lineEnd..<lineEnd + end.count].elementsEqual(end) {
                let count = lineEnd - view.startIndex
                try checkHeaderSize(count)
                let block = view[view.startIndex..<lineEnd]
                let head = try MultipartPartHead(block: block, maxFields: limits.headerFields)
                unread.moveReaderIndex(forwardBy: count + end.count)
                return head
            }
            index = lineEnd + 1
        }
        searched = view.count
        try checkHeaderSize(view.count)
        return nil
    }

    private func checkHeaderSize(_ count: Int) throws(MultipartError) {
        guard count <= limits.headerBytes else {
            throw MultipartError(.tooLarge, "the headers of a part exceed \(limits.headerBytes) bytes")
        }
    }

    private var beginsWithDelimiter: Bool {
        unread.readableBytes >= delimiter.count && unread.readableBytesView.starts(with: delimiter)
    }

    /// - Returns: All bytes that surely belong to the part: up to where the delimiter begins or may be about to begin.
    private mutating func nextData() -> ByteBuffer? {
        let count = unread.withUnsafeReadableBytes { Self.dataCount($0, before: delimiter) }
        return count > 0 ? unread.readSlice(length: count) : nil
    }

    /// Every byte of every scan goes through here, hence the C functions.
    private static func dataCount(_ bytes: UnsafeRawBufferPointer, before delimiter: [UInt8]) -> Int {
        guard let start = bytes.baseAddress else { return 0 }
        return delimiter.withUnsafeBytes { delimiter in
            guard let pattern = delimiter.baseAddress else { return bytes.count }
            var offset = 0
            while offset < bytes.count, let found = memchr(start + offset, 0x0D, bytes.count - offset) {
                let candidate = UnsafeRawPointer(found)
                let position = candidate - start
                if memcmp(candidate, pattern, min(delimiter.count, bytes.count - position)) == 0 { return position }
                offset = position + 1
            }
            return bytes.count
        }
    }
}
