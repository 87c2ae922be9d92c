internal import CHostileCalls
internal import Domain
internal import Glibc
internal import Recognition
internal import ScanReader

/// A reader process that does what its image says, so that tests can make it do what a captured reader would: an image
/// that ends with `order:` and a word is an order. Every other image is read as the real reader does.
@main
enum Entrypoint {
    static func main() {
        // Not an argument: Swift looks for those in /proc, which some confinements close.
        switch getenv("HOSTILE_ORDER").map({ String(cString: $0) }) {
        case "parent": beParent()
        case "attempt": attempt(confined: false)
        case "confine": attempt(confined: true)
        case "spin": spin()
        case "map": printMap()
        default: break
        }
        exit(ReaderLoop.run { HostileReader(setup: $0) })
    }

    /// Prints what came of all attempts, a line each; first confines itself as programs of the system do, or stays as it
    /// was started.
    private static func attempt(confined: Bool) -> Never {
        if confined, (try? SelfConfinement.apply(readable: ["/etc/fonts"])) == nil { exit(1) }
        let lines = Attempts.all().map { "\($0.key)=\($0.value)\n" }.joined()
        let written = lines.withCString { write(1, $0, strlen($0)) }
        exit(written == lines.utf8.count ? 0 : 1)
    }

    /// Prints what is mapped into this process.
    private static func printMap() -> Never {
        let map = open("/proc/self/maps", O_RDONLY)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(map, &buffer, buffer.count), count > 0 { _ = write(1, buffer, count) }
        exit(0)
    }

    /// Goes on whatever it is told.
    private static func spin() -> Never {
        signal(SIGXCPU, SIG_IGN)
        while true {}
    }

    /// Starts a confined child that waits, tells its number, and waits itself.
    private static func beParent() -> Never {
        let limits = ConfinedCommand.Limits(addressSpace: 4 << 30, data: 1 << 30, processorSeconds: 60)
        guard let path = CommandLine.arguments.first,
            let child = try? ConfinedProcess(ConfinedCommand(path: path, limits: limits))
        else { exit(1) }
        _ = "\(child.processID)".withCString { write(1, $0, strlen($0)) }
        while true { sleep(1_000) }
    }
}

private final class HostileReader: ImageReading {
    private let reader: PageReader

    init(setup: ReaderSetup) {
        reader = PageReader(
            configuration: ReaderConfiguration(
                modelDirectory: setup.modelDirectory, openVINODirectory: setup.openVINODirectory,
                maxPixels: setup.maxPixels))
    }

    func read(
        _ bytes: [UInt8], imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> PageReading {
        guard let word = order(in: bytes) else {
            return try reader.read(bytes, page: imageIndex, layout: layout, expectedExam: expectedExam)
        }
        switch word {
        case "echo": return reading(["process": "\(getpid())", "layout_pages": "\(layout.pages.count)"])
        case "attempt": return reading(Attempts.all())
        case "refuse": throw ReadingFailure(.noSheetFound, "nothing here")
        case "allocate": allocate()
        case "hang": while true { sleep(1_000) }
        case "spin": while true {}
        case "trap": fatalError("told to")
        case "32bit": hostile_call_32bit()
        case "x32": hostile_call_x32()
        case "leave": exit(3)
        case "babble": babble()
        case "chatter": for _ in 0..<100 { print(String(repeating: "x", count: 8_192)) }
        default: throw ReadingFailure(.readerUnavailable, "The test's reader knows no order \(word).")
        }
        return reading(["word": word])
    }

    /// The word after the last `order:`, which must be near the end.
    private func order(in bytes: [UInt8]) -> String? {
        let mark = Array("order:".utf8)
        let tail = bytes.suffix(64)
        guard let start = tail.ranges(of: mark).last else { return nil }
        return String(decoding: tail[start.upperBound...], as: UTF8.self)
    }

    func read(_ bytes: [UInt8], templatePath: String) throws(ReadingFailure) -> PageReading {
        reading([
            "template": Attempts.outcome(open(templatePath, O_RDONLY)),
            "elsewhere": Attempts.outcome(open("/etc/passwd", O_RDONLY)),
        ])
    }

    private func reading(_ values: [String: String]) -> PageReading {
        PageReading(page: 1, fields: values.mapValues { FieldReading(value: $0, confidence: 1) })
    }

    private func allocate() -> Never {
        var chunks: [[UInt8]] = []
        while true { chunks.append([UInt8](repeating: UInt8(chunks.count & 0xFF), count: 16 << 20)) }
    }

    /// Writes what is no message where messages go.
    private func babble() -> Never {
        let noise = [UInt8](repeating: 0xFF, count: 4_096)
        while true { _ = noise.withUnsafeBytes { write(3, $0.baseAddress, $0.count) } }
    }
}
