internal import Glibc
package import NIOCore

/// Which addresses belong to the public internet (the special-purpose registries of RFC 6890 and its successors).
package enum NetworkRanges {
    /// Networks by their first address and the length of their prefix.
    private static let privateIPv4: [(UInt32, Int)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xAC10_0000, 12),
        (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16), (0xC612_0000, 15),
        (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 4), (0xF000_0000, 4),
    ]

    /// False for this machine, private, link-local, multicast, reserved and example networks, and for those of IPv6 that
    /// hold an IPv4 address (6to4, Teredo, NAT64), which could lead to any of them.
    package static func isPublic(_ address: SocketAddress) -> Bool {
        guard let text = address.ipAddress else { return false }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return isPublic(word(bytes[..<4])) }
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return false }
        if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return isPublic(word(bytes[12...]))
        }
        return isPublic(high: word(bytes[..<4]))
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func isPublic(_ address: UInt32) -> Bool {
        !privateIPv4.contains { network, length in address >> UInt32(32 - length) == network >> UInt32(32 - length) }
    }

    /// - Parameter high: the first 32 bits of an IPv6 address.
    private static func isPublic(high: UInt32) -> Bool {
        // 2000::/3 without 2001::/23 and 2001:db8::/32, 2002::/16 and 3fff::/20.
        high >> 29 == 1 && high >> 9 != 0x2001_0000 >> 9 && high != 0x2001_0DB8 && high >> 16 != 0x2002
            && high >> 12 != 0x3FFF_0
    }
}
