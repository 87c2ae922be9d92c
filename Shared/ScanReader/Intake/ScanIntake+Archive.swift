extension ScanIntake {
    /// The pages of the scans in a ZIP file.
    func pages(
        ofArchive file: BoundedFile, at path: String, name: String,
        store: (_ bytes: [UInt8]) async throws -> String
    ) async throws(IntakeFailure) -> IntakeResult {
        let (archive, entries) = try await open(file, at: path)
        try checkSize(entries, packed: file.count)

        var result = IntakeResult(pages: [], refused: [])
        for entry in entries.sorted(by: { $0.name < $1.name }) where !entry.isDirectory && !isClutter(entry.name) {
            let entryName = "\(name)/\(entry.name)"
            do throws(IntakeFailure) {
                let bytes = try await unpack(entry, from: archive)
                let (kind, count) = try await inspect(BoundedFile(bytes))
                guard result.pages.count + count <= limits.maxPages else { throw tooManyPages() }
                let place: String
                do {
                    place = try await store(bytes)
                } catch {
                    throw IntakeFailure(.unavailable, "The scan cannot be stored: \(error).")
                }
                result.pages += (0..<count).map {
                    IntakePage(name: entryName, content: .stored(place), page: $0, kind: kind)
                }
            } catch {
                // Not this entry's fault: the whole upload has to come again.
                if error.code == .unavailable || error.code == .tooManyPages { throw error }
                result.refused.append(.init(name: entryName, failure: error))
            }
        }
        if result.pages.isEmpty {
            let reason = result.refused.first.map { "; the first entry, \($0.name): \($0.failure.message)" } ?? "."
            throw IntakeFailure(.noScans, "The ZIP holds no scan that can be read\(reason)")
        }
        return result
    }

    private func open(
        _ file: BoundedFile, at path: String
    ) async throws(IntakeFailure) -> (ZipArchive, [ZipArchive.Entry]) {
        // Before the library makes a record for each of them.
        guard let claimed = ZipArchive.entryCount(file) else {
            throw IntakeFailure(.damaged, "The ZIP is cut short or damaged. Pack it again.")
        }
        guard claimed <= limits.maxArchiveEntries else {
            throw IntakeFailure(
                .archiveTooLarge,
                "The ZIP has more than \(limits.maxArchiveEntries) entries. Split it and upload the parts.")
        }
        do throws(ZipArchive.Failure) {
            let archive = try ZipArchive(path: path)
            return (archive, try await archive.entries())
        } catch {
            throw IntakeFailure(.damaged, "The ZIP cannot be opened (\(error.message)). Pack it again.")
        }
    }

    private func checkSize(_ entries: [ZipArchive.Entry], packed: Int) throws(IntakeFailure) {
        let total = entries.reduce(0) { sum, entry in
            let (total, overflow) = sum.addingReportingOverflow(entry.bytes)
            return overflow ? .max : total
        }
        let isBomb = total > limits.ratioFreeBytes && total / max(packed, 1) > limits.maxRatio
        guard total <= limits.maxArchiveBytes, !isBomb else {
            throw IntakeFailure(
                .archiveTooLarge,
                "The ZIP unpacks to \(total == .max ? "an untold number of" : "\(total >> 20)") MiB"
                    + (isBomb
                        ? ", \(total / max(packed, 1)) times its size. It is not unpacked."
                        : "; "
                            + "\(limits.maxArchiveBytes >> 20) MiB are allowed. Split it and upload the parts."))
        }
    }

    private func unpack(_ entry: ZipArchive.Entry, from archive: ZipArchive) async throws(IntakeFailure) -> [UInt8] {
        guard !entry.isEncrypted else {
            throw IntakeFailure(.damaged, "The entry is protected by a password. Pack it without one.")
        }
        guard entry.bytes <= limits.maxFileBytes else {
            throw IntakeFailure(
                .tooLarge, "The entry has \(entry.bytes >> 20) MiB; \(limits.maxFileBytes >> 20) MiB are allowed.")
        }
        do throws(ZipArchive.Failure) {
            return try await archive.bytes(of: entry)
        } catch {
            throw IntakeFailure(.damaged, "The entry cannot be unpacked: \(error.message). Pack it again.")
        }
    }

    /// What operating systems add to archives.
    private func isClutter(_ name: String) -> Bool {
        let parts = name.split(separator: "/")
        return parts.contains { $0 == "__MACOSX" || $0.hasPrefix(".") || $0 == "Thumbs.db" || $0 == "desktop.ini" }
    }
}
