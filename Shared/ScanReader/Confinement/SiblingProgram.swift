internal import FoundationEssentials
internal import Glibc

/// Programs that stand beside the running executable.
package enum SiblingProgram {
    /// The absolute path of the program, which need not exist: a message about it can then say where it was expected.
    ///
    /// - Parameter variable: of the environment; names another place when it is set.
    package static func path(of name: String, variable: String) -> String {
        if let given = ProcessInfo.processInfo.environment[variable], !given.isEmpty { return given }
        return "\(parent(of: runningExecutable()))/\(name)"
    }

    static func runningExecutable() -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:))
        return path.isEmpty ? CommandLine.arguments[0] : String(decoding: path, as: UTF8.self)
    }

    static func parent(of path: String) -> String {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return folder.isEmpty ? "/" : folder
    }
}
