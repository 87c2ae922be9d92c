internal import Domain
internal import Glibc
internal import Recognition
internal import ScanReader

/// The confined child that looks at uploaded images. It is started by ``ScanReader``, never by hand.
@main
enum Entrypoint {
    // Not async: the process confines itself before any second thread exists.
    static func main() {
        exit(ReaderLoop.run { PageReaderAdapter(setup: $0) })
    }
}

private final class PageReaderAdapter: ImageReading {
    private let reader: PageReader
    /// The template of the page before; a process is given pages of one template after another.
    private var template: (path: String, content: OMRCheckerTemplate)?

    init(setup: ReaderSetup) {
        reader = PageReader(
            configuration: ReaderConfiguration(
                modelDirectory: setup.modelDirectory, openVINODirectory: setup.openVINODirectory,
                maxPixels: setup.maxPixels))
    }

    func read(
        _ bytes: [UInt8], imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> PageReading {
        try reader.read(bytes, page: imageIndex, layout: layout, expectedExam: expectedExam)
    }

    func picture(
        of subject: PictureSubject, _ bytes: [UInt8], imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> [UInt8] {
        switch subject {
        case .area(let area):
            try reader.cutOut(bytes, page: imageIndex, layout: layout, expectedExam: expectedExam, area: area)
        case .page: try reader.picture(bytes, page: imageIndex, layout: layout, expectedExam: expectedExam)
        }
    }

    func read(_ bytes: [UInt8], templatePath: String) throws(ReadingFailure) -> PageReading {
        let content: OMRCheckerTemplate
        if let template, template.path == templatePath {
            content = template.content
        } else {
            do {
                content = try OMRCheckerTemplate(contentsOf: templatePath)
            } catch {
                throw ReadingFailure(.readerUnavailable, "The template \(templatePath) cannot be used: \(error)")
            }
            template = (templatePath, content)
        }
        return try reader.read(bytes, template: content)
    }
}
