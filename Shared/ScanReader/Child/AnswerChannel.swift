internal import Glibc

/// Standard output of a confined child, kept for its answers: what a library prints goes to standard error instead.
package struct AnswerChannel: Sendable {
    package struct Broken: Error, CustomStringConvertible {
        package let description: String
    }

    private let descriptor: Int32

    /// To be called once, before anything is printed.
    package init() throws(Broken) {
        descriptor = fcntl(1, F_DUPFD_CLOEXEC, 3)
        guard descriptor >= 0, dup2(2, 1) >= 0 else { throw Broken(description: "cannot place its descriptors") }
    }

    /// - Throws: when the parent takes no more.
    package func write(_ bytes: [UInt8]) throws(Broken) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Broken(description: "cannot answer: \(systemMessage(errno))") }
            sent += count
        }
    }
}
