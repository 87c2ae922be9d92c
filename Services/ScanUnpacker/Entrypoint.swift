internal import Domain
internal import Glibc
internal import ScanReader

/// Unpacks the scans of one ZIP file and ends: the file on standard input, limits as the only argument, and
/// `UnpackMessage`s with the content on standard output.
///
/// A process of its own, so that what a stranger's archive does to the unpacking libraries it does behind walls: no file
/// but its input, no network, no other program, little memory. It is started by ``ScanIntake``, never by hand.
@main
enum Entrypoint {
    // Not async: the process confines itself before any second thread exists.
    static func main() {
        do {
            let output = try AnswerChannel()
            guard CommandLine.arguments.count == 2 else { throw Misuse() }
            let limits = try JSON.decode(UnpackLimits.self, from: Array(CommandLine.arguments[1].utf8))
            try SelfConfinement.apply(readable: [])
            try Unpacking(limits: limits, output: output).run(descriptor: 0)
        } catch {
            let line = Array("\(error)\n".utf8)
            _ = line.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
            exit(1)
        }
    }

    private struct Misuse: Error, CustomStringConvertible {
        let description = "scan-unpacker is started by the gateway: a ZIP on standard input, its limits as argument"
    }
}
