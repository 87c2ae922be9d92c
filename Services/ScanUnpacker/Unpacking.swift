internal import ScanReader

/// Tells what is in an archive, within its limits: the entries in the order of their names.
struct Unpacking {
    let limits: UnpackLimits
    let output: AnswerChannel

    func run(descriptor: Int32) throws {
        do {
            let (archive, entries) = try open(descriptor)
            for entry in entries.sorted(by: { $0.name < $1.name }) where !entry.isDirectory && !isClutter(entry.name) {
                if let failure = refusal(of: entry) {
                    try tell(.refused(name: entry.name, failure))
                } else {
                    try unpack(entry, from: archive)
                }
            }
            try tell(.done)
        } catch let failure as IntakeFailure {
            try tell(.failed(failure))
        }
    }

    private func open(_ descriptor: Int32) throws -> (ZipArchive, [ZipArchive.Entry]) {
        // Before the library makes a record for each of them.
        guard let claim = ZipArchive.entryCount(descriptor: descriptor) else {
            throw IntakeFailure(.damaged, "The ZIP is cut short or damaged. Pack it again.")
        }
        guard claim.entries <= limits.maxEntries else { throw tooManyEntries }
        do {
            let archive = try ZipArchive(descriptor: descriptor)
            guard archive.count <= limits.maxEntries else { throw tooManyEntries }
            let entries = try archive.entries()
            try checkSize(entries, packed: claim.fileBytes)
            return (archive, entries)
        } catch let failure as ZipArchive.Failure {
            throw IntakeFailure(.damaged, "The ZIP cannot be opened (\(failure.message)). Pack it again.")
        }
    }

    private var tooManyEntries: IntakeFailure {
        IntakeFailure(
            .archiveTooLarge, "The ZIP has more than \(limits.maxEntries) entries. Split it and upload the parts.")
    }

    private func checkSize(_ entries: [ZipArchive.Entry], packed: Int) throws(IntakeFailure) {
        let total = entries.reduce(0) { sum, entry in
            let (total, overflow) = sum.addingReportingOverflow(entry.bytes)
            return overflow ? .max : total
        }
        let isBomb = total > limits.ratioFreeBytes && total / max(packed, 1) > limits.maxRatio
        guard total <= limits.maxBytes, !isBomb else {
            throw IntakeFailure(
                .archiveTooLarge,
                "The ZIP unpacks to \(total == .max ? "an untold number of" : "\(total >> 20)") MiB"
                    + (isBomb
                        ? ", \(total / max(packed, 1)) times its size. It is not unpacked."
                        : "; \(limits.maxBytes >> 20) MiB are allowed. Split it and upload the parts."))
        }
    }

    private func refusal(of entry: ZipArchive.Entry) -> IntakeFailure? {
        if entry.isSpecial {
            return IntakeFailure(.notAnImage, "The entry is a link or a device. Pack the scans themselves.")
        }
        if entry.isEncrypted {
            return IntakeFailure(.damaged, "The entry is protected by a password. Pack it without one.")
        }
        guard entry.bytes <= limits.maxEntryBytes else {
            return IntakeFailure(
                .tooLarge, "The entry has \(entry.bytes >> 20) MiB; \(limits.maxEntryBytes >> 20) MiB are allowed.")
        }
        return nil
    }

    private func unpack(_ entry: ZipArchive.Entry, from archive: ZipArchive) throws {
        try tell(.begun(name: entry.name))
        do {
            try archive.unpack(entry) { piece in
                try tell(.piece(bytes: piece.count))
                try output.write(piece)
            }
            try tell(.ended(nil))
        } catch let failure as ZipArchive.Failure {
            try tell(
                .ended(IntakeFailure(.damaged, "The entry cannot be unpacked: \(failure.message). Pack it again.")))
        }
    }

    private func tell(_ message: UnpackMessage) throws {
        try output.write(message.encoded())
    }

    /// What operating systems add to archives.
    private func isClutter(_ name: String) -> Bool {
        let parts = name.split(separator: "/")
        return parts.contains { part in
            let isHidden = part.hasPrefix(".") && part != "." && part != ".."
            return isHidden || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(part)
        }
    }
}
