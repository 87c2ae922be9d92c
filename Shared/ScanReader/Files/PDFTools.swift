internal import Domain

/// Pages of a PDF, counted and rendered by poppler's programs as confined children: a PDF is a program in all but name,
/// and this one was written by a stranger.
struct PDFTools {
    /// Files and folders poppler needs: itself, its libraries, fonts.
    private static let readable = [
        "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/var/cache/fontconfig", "/dev/null",
        "/dev/urandom",
        "/etc/localtime",
    ]
    /// Standard input by the name of a file: there poppler goes to the page it wants, while it reads a `-` from end to
    /// end, which takes most of a second for a document of 100 MiB.
    private static let input = "/proc/self/fd/0"
    private static let environment = ["LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME=/nonexistent", "MALLOC_ARENA_MAX=1"]

    /// Dots an inch.
    var resolution: Int
    var maxPixels: Int
    /// Of one of poppler's processes, in bytes.
    var memoryLimit = 1 << 30
    var folder = "/usr/bin"

    init(resolution: Int, maxPixels: Int) {
        self.resolution = resolution
        self.maxPixels = maxPixels
    }

    init(_ configuration: ScanReaderConfiguration) {
        self.init(resolution: configuration.pdfResolution, maxPixels: configuration.maxRenderedPixels)
    }

    /// What `pdfinfo` says of a document and one of its pages.
    struct Information: Equatable {
        var pages: Int
        /// Points, 1/72 inch.
        var width: Double
        var height: Double
    }

    /// A grey JPEG of the page, `page` 0 for the first. Of a file no more is read than the page needs.
    func render(
        _ document: ConfinedCommand.Input, page: Int, until deadline: ContinuousClock.Instant,
        started: (ConfinedProcess) -> Void = { _ in }
    ) throws(ReadingFailure) -> [UInt8] {
        let information = try information(document, page: page, until: deadline, started: started)
        guard (0..<information.pages).contains(page) else {
            throw ReadingFailure(.damagedImage, "The PDF has \(information.pages) pages; there is no page \(page + 1).")
        }
        let number = String(page + 1)
        let output = try run(
            "pdftocairo",
            [
                "-gray", "-jpeg", "-jpegopt", "quality=92", "-r", String(dotsPerInch(information)), "-f", number,
                "-l", number, "-singlefile", Self.input, "-",
            ],
            document, limit: maxPixels * 2, until: deadline, started: started)
        guard FileKind(start: Array(output.prefix(16))) == .jpeg else {
            throw ReadingFailure(.damagedImage, "Page \(number) of the PDF cannot be drawn. \(Self.advice)")
        }
        return output
    }

    func information(
        _ document: ConfinedCommand.Input, page: Int = 0, until deadline: ContinuousClock.Instant,
        started: (ConfinedProcess) -> Void = { _ in }
    ) throws(ReadingFailure) -> Information {
        let number = String(page + 1)
        let output = try run(
            "pdfinfo", ["-f", number, "-l", number, Self.input], document, limit: 1 << 20, until: deadline,
            started: started)
        guard let information = Information(report: String(decoding: output, as: UTF8.self)) else {
            throw ReadingFailure(.damagedImage, "The PDF is damaged. \(Self.advice)")
        }
        return information
    }

    /// The resolution, lowered as far as the pixel limit asks.
    func dotsPerInch(_ information: Information) -> Int {
        let squareInches = information.width / 72 * (information.height / 72)
        let longInches = max(information.width, information.height) / 72
        guard squareInches > 0, longInches.isFinite, squareInches.isFinite else { return resolution }
        let byArea = (Double(maxPixels) / squareInches).squareRoot()
        // JPEG and cairo end at 32,767 pixels a side.
        return max(1, Int(min(Double(resolution), byArea, 32_000 / longInches)))
    }

    private static let advice = "Print it to a new PDF, or scan the page again."

    func command(
        _ program: String, _ arguments: [String], _ document: ConfinedCommand.Input
    ) -> ConfinedCommand {
        ConfinedCommand(
            path: "\(folder)/\(program)", arguments: arguments, environment: Self.environment,
            limits: .init(addressSpace: memoryLimit + (512 << 20), data: memoryLimit, processorSeconds: 60),
            input: document, readable: Self.readable)
    }

    private func run(
        _ program: String, _ arguments: [String], _ document: ConfinedCommand.Input, limit: Int,
        until deadline: ContinuousClock.Instant, started: (ConfinedProcess) -> Void
    ) throws(ReadingFailure) -> [UInt8] {
        do {
            let process = try ConfinedProcess(command(program, arguments, document))
            started(process)
            let (output, exit, errors) = try process.receiveAll(limit: limit, until: deadline)
            if exit == .exited(0) { return output }
            if errors.contains("Incorrect password") {
                throw ReadingFailure(
                    .damagedImage, "The PDF is protected by a password. Save it without one and upload it again.")
            }
            throw ReadingFailure(.damagedImage, "The PDF is damaged or too complex (\(exit)). \(Self.advice)")
        } catch let failure as ReadingFailure {
            throw failure
        } catch {
            switch error as? ConfinedProcessError {
            case .timedOut:
                throw ReadingFailure(.timedOut, "Drawing the PDF took too long and was stopped. \(Self.advice)")
            case .tooMuchOutput:
                throw ReadingFailure(.imageTooLarge, "The PDF's page is too large. \(Self.advice)")
            case .cannotStart:
                throw ReadingFailure(
                    .readerUnavailable, "\(folder)/\(program): \(error). Install the package poppler-utils.")
            default:
                throw ReadingFailure(.readerCrashed, "\(program) failed on this PDF: \(error). \(Self.advice)")
            }
        }
    }
}

extension PDFTools.Information {
    /// Reads the output of `pdfinfo -f N -l N`; nil when there is no page count. A page that does not exist has no size.
    init?(report: String) {
        pages = 0
        width = 0
        height = 0
        for line in report.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].split(separator: " ")
            let value = line[line.index(after: colon)...].split(separator: " ")
            if name == ["Pages"], let count = value.first.flatMap({ Int($0) }) {
                pages = count
            } else if name.first == "Page", name.last == "size", value.count >= 3, value[1] == "x" {
                width = Double(value[0]) ?? 0
                height = Double(value[2]) ?? 0
            }
        }
        if pages <= 0 { return nil }
    }
}
