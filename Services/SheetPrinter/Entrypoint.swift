internal import AnswerSheet
internal import Domain
internal import Glibc
internal import ScanReader
internal import SheetPrinting

/// Prints one job and ends: a `PrintJob` as JSON on standard input, the PDF on standard output.
///
/// A process of its own, so that services carry neither the drawing libraries nor the pages of a Chinese font, and
/// so that what teachers type as a title meets the text libraries behind the same walls as a scan. It is started by
/// the gateway and the batch worker, never by hand. On a failure the exit status is 1 and standard error says why.
@main
enum Entrypoint {
    // Not async: the process confines itself before any second thread exists.
    static func main() {
        do {
            // What a library prints must not get into the PDF.
            let output = try AnswerChannel()
            let job = try JSON.decode(PrintJob.self, from: try standardInput())
            try SelfConfinement.apply(readable: ["/etc/fonts", "/var/cache/fontconfig", "/dev/null"])
            let pdf =
                if let report = job.report {
                    try ReportPDF.render(report)
                } else {
                    try AnswerSheetPDF.render(layouts: job.layouts, title: job.title)
                }
            try output.write(pdf)
        } catch {
            let line = Array("\(error)\n".utf8)
            _ = line.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
            exit(1)
        }
    }

    private static func standardInput() throws(PrintFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 16) { $1 = max(0, read(0, $0.baseAddress, $0.count)) }
            if chunk.isEmpty { return bytes }
            bytes.append(contentsOf: chunk)
            guard bytes.count <= PrintJob.maxBytes else {
                throw PrintFailure("a job of over \(PrintJob.maxBytes) bytes")
            }
        }
    }
}

private struct PrintFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
