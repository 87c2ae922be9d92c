internal import CProcess
internal import Glibc

/// Where this program is; the services' executables stand beside it.
enum OwnExecutable {
    static func path() throws(CommandFailure) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard process_executable(&buffer, buffer.count) == 0 else {
            throw CommandFailure("cannot find the own executable", errno: errno)
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func directory() throws(CommandFailure) -> String {
        let path = try path()
        return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    }
}
