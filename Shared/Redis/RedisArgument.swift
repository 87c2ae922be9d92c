package import NIOCore

/// What can be an argument of a command.
package protocol RedisArgument: Sendable {
    /// The number of bytes `append(to:)` appends.
    var redisByteCount: Int { get }

    /// Appends the argument's bytes, without RESP framing.
    func append(to bytes: inout [UInt8])
}

extension String: RedisArgument {
    package var redisByteCount: Int { utf8.count }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: utf8)
    }
}

extension Substring: RedisArgument {
    package var redisByteCount: Int { utf8.count }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: utf8)
    }
}

extension Int: RedisArgument {
    package var redisByteCount: Int { Int64(self).redisByteCount }

    package func append(to bytes: inout [UInt8]) {
        Int64(self).append(to: &bytes)
    }
}

extension Int64: RedisArgument {
    package var redisByteCount: Int { magnitude.decimalDigitCount + (self < 0 ? 1 : 0) }

    package func append(to bytes: inout [UInt8]) {
        if self < 0 {
            bytes.append(UInt8(ascii: "-"))
        }
        magnitude.appendDecimal(to: &bytes)
    }
}

/// The shortest text that reads back as the same number; infinities are `inf` and `-inf`.
extension Double: RedisArgument {
    package var redisByteCount: Int { description.utf8.count }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: description.utf8)
    }
}

extension [UInt8]: RedisArgument {
    package var redisByteCount: Int { count }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: self)
    }
}

/// The readable bytes.
extension ByteBuffer: RedisArgument {
    package var redisByteCount: Int { readableBytes }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: readableBytesView)
    }
}

extension UInt64 {
    var decimalDigitCount: Int {
        var count = 1
        var rest = self
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }

    func appendDecimal(to bytes: inout [UInt8]) {
        if self < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(self))
            return
        }
        var divisor: UInt64 = 1
        for _ in 1..<decimalDigitCount {
            divisor *= 10
        }
        var rest = self
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }
}
