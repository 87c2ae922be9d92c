import Foundation
import Glibc

/// Many sockets that misbehave: `SocketCrowd PORT COUNT KIND SOURCE REPORT`, the token in `CROWD_TOKEN`. Writes what
/// became of them to the file REPORT ten times a second, until it is killed.
@main
enum Entrypoint {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let port = UInt16(arguments[1]), let count = Int(arguments[2]),
            let kind = Kind(rawValue: arguments[3])
        else {
            FileHandle.standardError.write(Data("usage: SocketCrowd PORT COUNT KIND SOURCE REPORT\n".utf8))
            exit(2)
        }
        signal(SIGPIPE, SIG_IGN)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let token = ProcessInfo.processInfo.environment["CROWD_TOKEN"] ?? ""
        var crowd = Crowd(port: port, count: count, kind: kind, source: arguments[4], token: token)
        let report = URL(fileURLWithPath: arguments[5])
        while true {
            crowd.open(250)
            crowd.look(milliseconds: 100)
            crowd.goOn()
            try Data(crowd.report.utf8).write(to: report, options: .atomic)
        }
    }
}
