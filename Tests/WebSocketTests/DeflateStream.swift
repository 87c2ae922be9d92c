import CZlib
import NIOCore

/// A peer that compresses in whatever way zlib can.
struct DeflateStream {
    var level: Int32 = 6
    var windowBits: Int32 = 15
    var memory: Int32 = 8
    var strategy = Z_DEFAULT_STRATEGY
    /// After so many bytes of the content a block ends, or the whole stream.
    var piece = Int.max
    var flush = Z_SYNC_FLUSH

    /// Every way.
    static func random(using random: inout some RandomNumberGenerator) -> DeflateStream {
        DeflateStream(
            level: .random(in: 0...9, using: &random), windowBits: .random(in: 9...15, using: &random),
            memory: .random(in: 1...9, using: &random),
            strategy: [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED].randomElement(using: &random)
                ?? Z_DEFAULT_STRATEGY,
            piece: .random(in: 1...20_000, using: &random),
            flush: [Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK, Z_PARTIAL_FLUSH, Z_NO_FLUSH, Z_FINISH]
                .randomElement(using: &random) ?? Z_SYNC_FLUSH)
    }

    /// - Returns: what RFC 7692 makes of `content`.
    func message(_ content: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = content[...]
        if flush == Z_FINISH {
            // A stream of its own for each piece, and at the end the beginning of an empty block.
            repeat {
                result += run([(Array(rest.prefix(piece)), Z_FINISH)])
                rest = rest.dropFirst(piece)
            } while !rest.isEmpty
            return result + [0]
        }
        var steps: [([UInt8], Int32)] = []
        while !rest.isEmpty {
            steps.append((Array(rest.prefix(piece)), flush))
            rest = rest.dropFirst(piece)
        }
        // Twice the same flush makes nothing; another one comes in between.
        result = run(steps + [([], Z_FULL_FLUSH)])
        return result.suffix(4) == [0, 0, 0xFF, 0xFF] ? result.dropLast(4) : result
    }

    private func run(_ steps: [([UInt8], Int32)]) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(
            &stream, level, Z_DEFLATED, -windowBits, memory, strategy, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        var result: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 4096)
        for (bytes, flush) in steps {
            var bytes = bytes
            bytes.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                repeat {
                    room.withUnsafeMutableBufferPointer { output in
                        stream.next_out = output.baseAddress
                        stream.avail_out = UInt32(output.count)
                        _ = deflate(&stream, flush)
                    }
                    result += room.prefix(room.count - Int(stream.avail_out))
                } while stream.avail_out == 0
            }
        }
        return result
    }
}
