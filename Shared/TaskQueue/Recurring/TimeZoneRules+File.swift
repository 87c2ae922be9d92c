internal import Glibc

extension TimeZoneRules {
    /// Where the system keeps its time zones.
    package static let systemDirectory = "/usr/share/zoneinfo"

    /// Reads a zone of the system's time zone database; `UTC` needs no file.
    /// - Parameter name: such as `Asia/Shanghai`.
    /// - Throws: `.invalid` when the name is none, there is no such zone, or its file is malformed.
    package init(named name: String, directory: String = systemDirectory) throws(TaskQueueError) {
        if name == "UTC" || name == "Etc/UTC" {
            self.init(name: name, firstOffset: 0, transitions: [], rule: nil)
            return
        }
        guard Self.isName(name) else {
            throw TaskQueueError(.invalid, "\(name.prefix(64).debugDescription) is no name of a time zone")
        }
        guard let bytes = Self.read("\(directory)/\(name)") else {
            throw TaskQueueError(.invalid, "there is no time zone \(name) in this system's time zone database")
        }
        try self.init(name: name, file: bytes)
    }

    /// Parts of letters, digits, `_`, `+` and `-` between single slashes, so that no path leaves the directory.
    private static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count) else { return false }
        return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.first, (0x61...0x7A).contains(first | 0x20) else { return false }
            return part.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
                    || [UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-")].contains(byte)
            }
        }
    }

    /// The real ones have less than 4 KiB.
    private static let maximumFileBytes = 65_536

    /// - Returns: nil when the file is missing, unreadable, not a regular one or too large.
    private static func read(_ path: String) -> [UInt8]? {
        // A named pipe must not block.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= maximumFileBytes
        else { return nil }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 8192)
        while bytes.count <= maximumFileBytes {
            let count = Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return bytes }
            bytes += part[..<count]
        }
        return nil
    }
}
