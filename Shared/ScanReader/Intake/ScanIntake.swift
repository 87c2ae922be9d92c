internal import Domain

/// Looks at an uploaded file, by content and never by name, and tells its pages. Headers are checked here, so that a
/// hopeless file is refused while its sender still waits; what is inside the image is for the confined reader.
package struct ScanIntake: Sendable {
    package struct Limits: Sendable {
        /// Of one scan, uploaded alone or in an archive: a PDF or TIFF of many pages.
        package var maxFileBytes: Int
        /// Of a PNG or JPEG, which is one page.
        package var maxImageBytes: Int
        /// Of one uploaded file, archives included.
        package var maxPages: Int
        package var maxPixels: Int
        package var maxArchiveEntries: Int
        /// Of all entries of an archive, unpacked.
        package var maxArchiveBytes: Int
        /// Unpacked to packed bytes of a whole archive. Counts only beyond ``ratioFreeBytes``: a small archive of
        /// uncompressed bitmaps may well have a high ratio.
        package var maxRatio: Int
        package var ratioFreeBytes: Int
        /// For counting the pages of one PDF.
        package var pdfDeadline: Duration
        /// For unpacking, inspecting and storing all of an archive.
        package var archiveDeadline: Duration

        package init(
            maxFileBytes: Int = 1 << 30, maxImageBytes: Int = 128 << 20,
            maxPages: Int = 2_000, maxPixels: Int = 120_000_000,
            maxArchiveEntries: Int = 4_000, maxArchiveBytes: Int = 2 << 30, maxRatio: Int = 100,
            ratioFreeBytes: Int = 64 << 20, pdfDeadline: Duration = .seconds(20),
            archiveDeadline: Duration = .seconds(300)
        ) {
            self.maxFileBytes = maxFileBytes
            self.maxImageBytes = maxImageBytes
            self.maxPages = maxPages
            self.maxPixels = maxPixels
            self.maxArchiveEntries = maxArchiveEntries
            self.maxArchiveBytes = maxArchiveBytes
            self.maxRatio = maxRatio
            self.ratioFreeBytes = ratioFreeBytes
            self.pdfDeadline = pdfDeadline
            self.archiveDeadline = archiveDeadline
        }
    }

    package var limits: Limits

    /// Absolute path of the program `scan-unpacker`; `ZHIYUE_UNPACKER` names another than the one beside this.
    package var unpackerPath = SiblingProgram.path(of: "scan-unpacker", variable: "ZHIYUE_UNPACKER")

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// The pages of one uploaded file.
    ///
    /// Entries of an archive that are no scans are reported and do no harm to the others; the archive as a whole fails
    /// only when it cannot be opened, is out of bounds, or holds no scan at all.
    /// - Parameters:
    ///   - path: Where the upload lies.
    ///   - name: Its name, for people.
    ///   - keeper: Keeps the entries of an archive.
    package func pages(
        ofFileAt path: String, name: String, keeper: EntryKeeper
    ) async throws(IntakeFailure) -> IntakeResult {
        if FileKind(start: try open(path).read(at: 0, count: 1_024)) == .zip {
            return try await pages(ofArchive: path, name: name, keeper: keeper)
        }
        let (kind, count) = try await inspect(path)
        let pages = (0..<count).map { IntakePage(name: name, content: .upload, page: $0, kind: kind) }
        return IntakeResult(pages: pages, refused: [])
    }

    // MARK: One scan

    func inspect(_ path: String) async throws(IntakeFailure) -> (FileKind, pages: Int) {
        let file = try open(path)
        let start = file.read(at: 0, count: 1_024)
        guard file.count > 0 else { throw IntakeFailure(.empty, FileKind.advice(start: [])) }
        guard let kind = FileKind(start: start) else {
            throw IntakeFailure(.notAnImage, FileKind.advice(start: start))
        }
        let limit = kind == .png || kind == .jpeg ? min(limits.maxImageBytes, limits.maxFileBytes) : limits.maxFileBytes
        guard file.count <= limit else {
            throw IntakeFailure(
                .tooLarge,
                "The file has \(file.count >> 20) MiB; \(limit >> 20) MiB are allowed. Scan at 200 to 300 dpi, or split it."
            )
        }
        switch kind {
        case .png: return (kind, try check([ImageSize(png: file)], "PNG"))
        case .jpeg: return (kind, try check([ImageSize(jpeg: file)], "JPEG"))
        case .tiff: return (kind, try check(tiffSizes(file), "TIFF"))
        case .pdf: return (kind, try await pdfPages(path))
        case .zip: throw IntakeFailure(.nestedArchive, "An archive in an archive is not unpacked. Pack the scans only.")
        }
    }

    private func open(_ path: String) throws(IntakeFailure) -> BoundedFile {
        do {
            return try BoundedFile(path: path)
        } catch {
            throw IntakeFailure(.unavailable, "The file cannot be read: \(error).")
        }
    }

    private func check(_ sizes: [ImageSize?], _ format: String) throws(IntakeFailure) -> Int {
        for size in sizes {
            guard let size else {
                throw IntakeFailure(.damaged, "The \(format) is cut short or damaged. Scan or copy it again.")
            }
            guard size.pixels <= limits.maxPixels else {
                throw IntakeFailure(
                    .tooLarge,
                    "The image has \(size.width) × \(size.height) pixels; \(limits.maxPixels / 1_000_000) million are "
                        + "allowed. Scan at 200 to 300 dpi.")
            }
        }
        return sizes.count
    }

    private func tiffSizes(_ file: BoundedFile) throws(IntakeFailure) -> [ImageSize?] {
        do throws(TIFFPages.Failure) {
            return try TIFFPages(file, maxPages: limits.maxPages).sizes
        } catch {
            switch error {
            case .damaged: return [nil]
            case .circular:
                throw IntakeFailure(.damaged, "The TIFF's list of pages runs in a circle. Scan or copy it again.")
            case .tooMany: throw tooManyPages()
            }
        }
    }

    private func pdfPages(_ path: String) async throws(IntakeFailure) -> Int {
        let tools = PDFTools(resolution: 200, maxPixels: limits.maxPixels)
        let deadline = ContinuousClock.now + limits.pdfDeadline
        let result = await BlockingCall.run { () -> Result<Int, ReadingFailure> in
            do throws(ReadingFailure) {
                return .success(try tools.information(.file(path), until: deadline).pages)
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let pages) where pages > limits.maxPages: throw tooManyPages()
        case .success(let pages): return pages
        case .failure(let failure):
            throw IntakeFailure(failure.code == .readerUnavailable ? .unavailable : .damaged, failure.message)
        }
    }

    func tooManyPages() -> IntakeFailure {
        IntakeFailure(.tooManyPages, "The file has more than \(limits.maxPages) pages. Split it and upload the parts.")
    }
}
