extension ScanIntake {
    /// The pages of the scans in a ZIP file.
    func pages(
        ofArchive path: String, name: String, keeper: EntryKeeper
    ) async throws(IntakeFailure) -> IntakeResult {
        let unpacker = try ArchiveUnpacker(
            path, program: unpackerPath, limits: unpackLimits, until: .now + limits.archiveDeadline,
            makePath: keeper.makePath)
        var result = IntakeResult(pages: [], refused: [])
        while let item = try await unpacker.next() {
            switch item {
            case .refused(let entry, let failure):
                result.refused.append(.init(name: "\(name)/\(entry)", failure: failure))
            case .scan(let entry, let scan):
                let entryName = "\(name)/\(entry)"
                do throws(IntakeFailure) {
                    let (kind, count) = try await inspect(scan.path)
                    guard result.pages.count + count <= limits.maxPages else { throw tooManyPages() }
                    let place = try await keeper.keep(scan.path)
                    scan.release()
                    result.pages += (0..<count).map {
                        IntakePage(name: entryName, content: .stored(place), page: $0, kind: kind)
                    }
                } catch {
                    // Not this entry's fault: the whole upload has to come again.
                    if error.isOurs || error.code == .tooManyPages { throw error }
                    result.refused.append(.init(name: entryName, failure: error))
                }
            }
        }
        if result.pages.isEmpty {
            let reason = result.refused.first.map { "; the first entry, \($0.name): \($0.failure.message)" } ?? "."
            throw IntakeFailure(.noScans, "The ZIP holds no scan that can be read\(reason)")
        }
        return result
    }

    private var unpackLimits: UnpackLimits {
        UnpackLimits(
            maxEntries: limits.maxArchiveEntries, maxBytes: limits.maxArchiveBytes, maxEntryBytes: limits.maxFileBytes,
            maxRatio: limits.maxRatio, ratioFreeBytes: limits.ratioFreeBytes)
    }
}

/// What becomes of the scans of an archive.
package struct EntryKeeper: Sendable {
    /// A place for a file, where nothing is yet.
    package var makePath: @Sendable () -> String
    /// Takes over the file at a path and returns where it is now; called once for each entry taken, in order.
    package var keep: @Sendable (_ path: String) async throws(IntakeFailure) -> String

    package init(
        makePath: @escaping @Sendable () -> String,
        keep: @escaping @Sendable (_ path: String) async throws(IntakeFailure) -> String
    ) {
        self.makePath = makePath
        self.keep = keep
    }
}
