internal import Accounts
internal import Audit
internal import Domain
internal import Glibc

/// Who runs a command, for the audit log: the machine's user, since the command line asks for no sign-in.
enum Operator {
    static var name: String {
        guard let record = getpwuid(geteuid()), let name = record.pointee.pw_name else { return "os:\(geteuid())" }
        return "os:\(String(cString: name))"
    }

    static var host: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static var author: Author { Author(actor: name, address: host, source: "/zhiyue/cli") }

    static func entry(
        _ action: AuditAction, subject: String, examID: ExamID? = nil, details: [String: String] = [:]
    ) -> AuditEntry {
        AuditEntry(
            action, actor: name, address: host, source: "/zhiyue/cli", subject: subject, examID: examID,
            details: details)
    }
}
