package import NIOCore

/// What can be an argument of a command.
package protocol RedisArgument: Sendable {
    /// The number of bytes `write(to:)` writes.
    var redisByteCount: Int { get }

    /// Writes the argument's bytes, without RESP framing.
    func write(to writer: inout RESPWriter)
}

extension String: RedisArgument {
    package var redisByteCount: Int { utf8.count }

    package func write(to writer: inout RESPWriter) {
        writer.write(self)
    }
}

extension Substring: RedisArgument {
    package var redisByteCount: Int { utf8.count }

    package func write(to writer: inout RESPWriter) {
        writer.write(self)
    }
}

extension Int: RedisArgument {
    package var redisByteCount: Int { Int64(self).redisByteCount }

    package func write(to writer: inout RESPWriter) {
        Int64(self).write(to: &writer)
    }
}

extension Int64: RedisArgument {
    package var redisByteCount: Int { magnitude.decimalDigitCount + (self < 0 ? 1 : 0) }

    package func write(to writer: inout RESPWriter) {
        if self < 0 {
            writer.write(UInt8(ascii: "-"))
        }
        writer.write(decimal: magnitude)
    }
}

/// The shortest text that reads back as the same number; infinities are `inf` and `-inf`.
extension Double: RedisArgument {
    package var redisByteCount: Int { description.utf8.count }

    package func write(to writer: inout RESPWriter) {
        writer.write(description)
    }
}

extension [UInt8]: RedisArgument {
    package var redisByteCount: Int { count }

    package func write(to writer: inout RESPWriter) {
        withUnsafeBufferPointer { writer.write($0) }
    }
}

/// The readable bytes.
extension ByteBuffer: RedisArgument {
    package var redisByteCount: Int { readableBytes }

    package func write(to writer: inout RESPWriter) {
        withUnsafeReadableBytes { writer.write($0.bindMemory(to: UInt8.self)) }
    }
}
