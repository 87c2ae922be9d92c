internal import Domain
internal import FoundationEssentials
internal import ScanReader
internal import Synchronization

/// Reads files page by page, several pages at a time, and prints a line for each in the order given.
struct RecognizeRun {
    enum Sheet: Sendable {
        case layout(SheetLayout)
        /// Path of OMRChecker's template.
        case template(String)
    }

    /// One line of output. Either fields or an error.
    struct Line: Encodable, Sendable {
        struct Failure: Encodable, Sendable {
            var code: String
            var message: String
        }

        var file: String
        var fields: [String: FieldReading]?
        var flags: [PageFlag]?
        var needsReview: Bool
        var milliseconds: Double?
        var error: Failure?

        enum CodingKeys: String, CodingKey {
            case file, fields, flags
            case needsReview = "needs_review"
            case milliseconds, error
        }
    }

    private struct Page: Sendable {
        var name: String
        var scan: Result<ScanSource, IntakeFailure>
    }

    var reader: ScanReader
    var sheet: Sheet
    var json: Bool
    /// Pages read at the same time.
    var window: Int

    /// True when every page could be read.
    func run(_ files: [String]) async -> Bool {
        var complete = true
        for file in files {
            let folder = ScratchFolder()
            let pages = await pages(of: file, folder)
            complete = await read(pages) && complete
            folder.remove()
        }
        return complete
    }

    private func pages(of file: String, _ folder: ScratchFolder) async -> [Page] {
        do throws(IntakeFailure) {
            let intake = try await ScanIntake().pages(
                ofFileAt: file, name: file,
                keeper: EntryKeeper {
                    folder.makePath()
                } keep: { path throws(IntakeFailure) in
                    path
                })
            let several = Set(intake.pages.filter { $0.page > 0 }.map(\.name))
            let pages = intake.pages.map { page in
                let numbered = page.kind == .pdf || several.contains(page.name)
                let source =
                    switch page.content {
                    case .upload: ScanSource(path: file, page: page.page)
                    case .stored(let place): ScanSource(path: place, page: page.page)
                    }
                return Page(name: numbered ? "\(page.name)#\(page.page + 1)" : page.name, scan: .success(source))
            }
            return pages + intake.refused.map { Page(name: $0.name, scan: .failure($0.failure)) }
        } catch {
            return [Page(name: file, scan: .failure(error))]
        }
    }

    private func read(_ pages: [Page]) async -> Bool {
        await withTaskGroup(of: (Int, Line).self) { group in
            var ready: [Int: Line] = [:]
            var printed = 0
            var complete = true
            for (index, page) in pages.enumerated() {
                if index >= window, let (done, line) = await group.next() { ready[done] = line }
                group.addTask { (index, await read(page)) }
                flush()
            }
            while let (done, line) = await group.next() {
                ready[done] = line
                flush()
            }
            return complete

            func flush() {
                while let line = ready.removeValue(forKey: printed) {
                    show(line)
                    complete = complete && line.error == nil
                    printed += 1
                }
            }
        }
    }

    private func read(_ page: Page) async -> Line {
        switch page.scan {
        case .failure(let failure):
            return Line(
                file: page.name, needsReview: true, error: .init(code: failure.code.rawValue, message: failure.message))
        case .success(let scan):
            do throws(ReadingFailure) {
                let reading =
                    switch sheet {
                    case .layout(let layout): try await reader.read(scan, layout: layout, expectedExam: nil)
                    case .template(let path): try await reader.read(scan, omrCheckerTemplate: path)
                    }
                // A field that is only blank is an answer like any other.
                let doubtful = reading.fields.values.contains { $0.flags.contains { $0 != .blank } }
                return Line(
                    file: page.name, fields: reading.fields, flags: reading.flags,
                    needsReview: doubtful || !reading.flags.isEmpty, milliseconds: reading.milliseconds)
            } catch {
                return Line(
                    file: page.name, needsReview: true, error: .init(code: error.code.rawValue, message: error.message))
            }
        }
    }

    private func show(_ line: Line) {
        if json {
            print((try? JSON.string(line)) ?? "{}")
            return
        }
        print(line.file + (line.needsReview && line.error == nil ? "  (needs review)" : ""))
        if let error = line.error { print("  \(error.code): \(error.message)") }
        for (name, field) in (line.fields ?? [:]).sorted(by: { $0.key.naturalOrder(before: $1.key) }) {
            let flags = field.flags.isEmpty ? "" : "  [" + field.flags.map(\.rawValue).joined(separator: " ") + "]"
            print("  \(name): \(field.value)\(flags)")
        }
    }
}

/// Where the entries of one ZIP file are while its pages are read; nothing when the file is no ZIP.
private final class ScratchFolder: Sendable {
    private let path = "\(FileManager.default.temporaryDirectory.path)/zhiyue-\(UUIDv7.make().compactString)"
    private let count = Mutex(0)

    func makePath() -> String {
        let number = count.withLock { count in
            count += 1
            return count
        }
        if number == 1 {
            try? FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        return "\(path)/\(number)"
    }

    func remove() {
        if count.withLock({ $0 > 0 }) { try? FileManager.default.removeItem(atPath: path) }
    }
}

extension String {
    /// `q2` before `q10`.
    fileprivate func naturalOrder(before other: String) -> Bool {
        let digits = { (text: String) in text.reversed().prefix { $0.isASCII && $0.isNumber }.count }
        let (mine, others) = (digits(self), digits(other))
        let (stem, otherStem) = (dropLast(mine), other.dropLast(others))
        if stem == otherStem, let a = Int(suffix(mine)), let b = Int(other.suffix(others)) { return a < b }
        return self < other
    }
}
