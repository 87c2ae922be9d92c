/// Runs `sheet-printer`, a confined child that draws one PDF and ends.
package struct PrinterProcess: Sendable {
    /// Why there is no PDF.
    package struct Failure: Error, Sendable {
        package enum Code: Sendable {
            /// The program is not installed where it was looked for.
            case missing
            /// No installed font has Chinese characters.
            case fontMissing
            /// It failed, took too long or printed too much.
            case failed
        }

        package var code: Code
        /// For the log: may name paths of this machine.
        package var reason: String
    }

    private static let environment = [
        "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME=/nonexistent", "MALLOC_ARENA_MAX=1", "SWIFT_BACKTRACE=enable=no",
    ]
    private static let timeLimit = Duration.seconds(60)
    /// Longest PDF in bytes.
    private static let maxBytes = 256 << 20

    /// Absolute path of the program.
    private let path: String

    /// - Parameter path: nil for the one beside the running executable, or that which `ZHIYUE_PRINTER` names.
    package init(path: String? = nil) {
        self.path = path ?? SiblingProgram.path(of: "sheet-printer", variable: "ZHIYUE_PRINTER")
    }

    /// Blocks until the PDF is there, a minute at most; belongs on a thread of its own.
    ///
    /// - Parameter job: a `PrintJob` as JSON.
    package func run(_ job: [UInt8]) throws(Failure) -> [UInt8] {
        do {
            let process = try ConfinedProcess(
                ConfinedCommand(
                    path: path, environment: Self.environment,
                    limits: .init(addressSpace: 2 << 30, data: 768 << 20, processorSeconds: 60), input: .bytes(job)))
            let (pdf, exit, errors) = try process.receiveAll(limit: Self.maxBytes, until: .now + Self.timeLimit)
            if exit == .exited(0), !pdf.isEmpty { return pdf }
            throw Failure(
                code: errors.contains("font_missing") ? .fontMissing : .failed, reason: "\(exit): \(errors)")
        } catch let failure as Failure {
            throw failure
        } catch ConfinedProcessError.cannotStart(let step, let errno) {
            throw Failure(
                code: .missing, reason: "\(path): \(ConfinedProcessError.cannotStart(step: step, errno: errno))")
        } catch {
            throw Failure(code: .failed, reason: "\(error)")
        }
    }
}
