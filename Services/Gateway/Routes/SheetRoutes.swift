import BlobStore
import Domain
import ExamStore
import HTTPTypes
import Hummingbird
import ScanReader

/// Sheets: the list of an exam, one with all that is known of it, its marks, its images.
struct SheetRoutes: Sendable {
    let store: ExamStore
    let access: ExamAccess
    let blobs: BlobStore
    let pictures: ScanPictures
    private let files = FileIO()

    init(store: ExamStore, access: ExamAccess, blobs: BlobStore, pictures: ScanPictures) {
        self.store = store
        self.access = access
        self.blobs = blobs
        self.pictures = pictures
    }

    /// How a scan is sent.
    enum ScanForm: String, CaseIterable {
        /// The file as it was uploaded, with all its pages.
        case original
        /// The page alone, flat and upright where its print was found.
        case jpeg
    }

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/exams/{exam}/sheets", allow: .staff,
            Operation(
                "Lists the sheets of an exam in order of upload.",
                parameters: [
                    .query("status", .choice(of: SheetStatus.self), "In this status only."), .cursor, .limit(max: 500),
                ], .json(.list(of: .sheetSummary))),
            use: list)
        routes.on(
            .get, "/api/sheets/{sheet}", allow: .staff,
            Operation("Shows a sheet with its reading and marks.", .json(.sheet)),
            use: show)
        routes.on(
            .get, "/api/sheets/{sheet}/marks", allow: .staffAndMarkers,
            Operation("Lists the marks of a sheet.", .json(.list(of: .mark))),
            use: marks)
        routes.on(
            .get, "/api/sheets/{sheet}/image", allow: .staff,
            Operation(
                "The scan of a page.",
                parameters: [
                    .query("page", .integer(1...10_000), "The sheet's image, 1 for the first and when absent."),
                    .query(
                        "as", .choice(of: ScanForm.self),
                        "`original`: the file as it was uploaded, with all its pages; the default for PNG and JPEG. "
                            + "`jpeg`: the page alone, flat and upright where its print was found; the default for PDF "
                            + "and TIFF."),
                    .ifNoneMatch,
                ], .content("*/*", "A JPEG, or a PNG, TIFF or PDF.", headers: [.eTag: "Names the content."]),
                .notModified),
            use: image)
    }

    @Sendable
    private func list(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer)
        let statuses = SheetStatus.allCases.map(\.rawValue).joined(separator: ", ")
        let page = try await store.sheets(
            exam: exam.id, status: try call.query("status", "one of \(statuses)", SheetStatus.init(rawValue:)),
            cursor: try call.cursor(), limit: try call.limit(max: 500))
        return try .json(ListDocument(page))
    }

    @Sendable
    private func show(_ call: Call) async throws -> Response {
        try .json(SheetDocument(sheet: try await sheet(call), id: call.sheetID))
    }

    @Sendable
    private func marks(_ call: Call) async throws -> Response {
        let (known, questions) = try await access.markedSheet(call.sheetID, for: call.bearer)
        let marks = try await target(of: known).marks.filter { questions?.contains($0.question) ?? true }
        return try .json(ListDocument(items: marks.map(MarkDocument.init), nextCursor: nil))
    }

    /// `page` counts the sheet's images from 1.
    @Sendable
    private func image(_ call: Call) async throws -> Response {
        let sheet = try await sheet(call)
        let number = try call.query("page", "a whole number from 1") { Int($0).flatMap { $0 > 0 ? $0 : nil } } ?? 1
        guard number <= sheet.pages.count else { throw Problem.notFound("page", number) }
        let page = sheet.pages[number - 1]
        guard blobs.contains(page.blob) else { throw Problem.notFound("image", page.blob) }
        let kind = FileKind(start: try await blobs.start(of: page.blob))
        let forms = ScanForm.allCases.map(\.rawValue).joined(separator: " or ")
        let form = try call.query("as", forms, ScanForm.init(rawValue:))
        guard form ?? (kind == .png || kind == .jpeg ? .original : .jpeg) == .original else {
            return try await picture(of: page, sheet, call)
        }
        let headers: HTTPFields = [
            .contentType: kind?.mediaType ?? "application/octet-stream",
            .contentDisposition: ContentDisposition.inline(page.file),
            // A scan is a stranger's file: nothing in it may run.
            .contentSecurityPolicy: "default-src 'none'; sandbox",
            .cacheControl: "private, max-age=31536000, immutable",
            .eTag: "\"\(page.blob)\"",
        ]
        if let seen = call.request.headers[.ifNoneMatch], EntityTag.list(seen, matches: "\"\(page.blob)\"") {
            return Response(status: .notModified, headers: headers)
        }
        let body = try await files.loadFile(path: blobs.path(of: page.blob), context: call.context)
        return Response(status: .ok, headers: headers, body: body)
    }

    private func picture(of page: SheetPage, _ sheet: Sheet, _ call: Call) async throws -> Response {
        let key = ScanPictures.Key(exam: sheet.examID, blob: page.blob, filePage: page.filePage, field: nil)
        return try await pictures.response(to: call, key, area: nil) {
            var layout = try await store.layout(of: sheet.examID) ?? SheetLayout(pages: [])
            // What was read names the page, so that no other needs to be tried.
            if let number = page.reading?.page { layout.pages.removeAll { $0.number != number } }
            return layout
        }
    }

    /// The sheet of the address, or the one it was joined to.
    private func sheet(_ call: Call) async throws -> Sheet {
        try await target(of: try await access.sheet(call.sheetID, for: call.bearer).0)
    }

    private func target(of sheet: Sheet) async throws -> Sheet {
        var sheet = sheet
        // Sheets are joined to such as are joined to none; the bound is for a broken record.
        for _ in 0..<4 {
            guard let target = sheet.joinedTo, let joined = try await store.sheet(target) else { break }
            sheet = joined
        }
        return sheet
    }
}

extension FileKind {
    var mediaType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        case .tiff: "image/tiff"
        case .pdf: "application/pdf"
        case .zip: "application/zip"
        }
    }
}
