internal import Glibc

/// The lines of a file or of standard input, one after the other, however long the whole is.
struct LineReader: ~Copyable {
    /// Bytes of a line.
    static let longest = 256 << 10

    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    /// Where the bytes not given out yet begin.
    private var start = 0
    private var isAtEnd = false

    /// - Parameter path: `-` for standard input.
    /// - Throws: `CommandFailure` when it cannot be opened.
    init(path: String) throws(CommandFailure) {
        self.path = path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure("cannot read \(path)", errno: errno) }
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// The next line without its end; nil after the last.
    ///
    /// - Throws: `CommandFailure` when it cannot be read or is too long.
    mutating func next() throws(CommandFailure) -> [UInt8]? {
        while true {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            if isAtEnd {
                defer { start = buffer.count }
                return start < buffer.count ? Array(buffer[start...]) : nil
            }
            guard buffer.count - start <= Self.longest else {
                throw CommandFailure("a line of \(path) is longer than \(Self.longest) bytes")
            }
            try fill()
        }
    }

    private mutating func fill() throws(CommandFailure) {
        buffer.removeFirst(start)
        start = 0
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var count = read(descriptor, &chunk, chunk.count)
        while count < 0, errno == EINTR { count = read(descriptor, &chunk, chunk.count) }
        guard count >= 0 else { throw CommandFailure("cannot read \(path)", errno: errno) }
        isAtEnd = count == 0
        buffer += chunk[..<count]
    }
}
