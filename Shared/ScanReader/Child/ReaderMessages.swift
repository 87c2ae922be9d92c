package import Domain
internal import FoundationEssentials

/// The first message to a new reader process.
package struct ReaderSetup: Codable, Equatable, Sendable {
    /// Where the text model is; nil when there is none.
    package var modelDirectory: String?
    package var openVINODirectory: String?
    /// Images of more pixels are refused.
    package var maxPixels: Int
    /// Images of more bytes are a protocol error.
    package var maxImageBytes: Int
    /// What the process may still read once it has confined itself, besides the system's libraries and the two above.
    package var readable: [String]
}

/// The answer to ``ReaderSetup``: the process is confined and waits for images.
struct ReaderReady: Codable, Equatable, Sendable {
    /// 0 where the kernel has no Landlock.
    var landlockVersion: Int
}

/// One image to be read; its bytes follow the message.
struct ReaderRequest: Codable, Equatable, Sendable {
    var id: UInt64
    var imageBytes: Int
    var imageIndex: Int
    /// Nil means the layout of the request before: it is much larger than the rest, and seldom changes.
    var layout: SheetLayout?
    /// Path of an OMRChecker template to be read instead of a layout.
    var template: String?
    var expectedExam: ExamID?
    /// A picture of this is to be made instead of reading the page.
    var subject: PictureSubject?
}

/// What a picture is made of.
package enum PictureSubject: Codable, Equatable, Sendable {
    /// A part of the only page of the layout, in millimetres, inside the page.
    case area(Box)
    /// All of the page, as it was scanned where it is not found.
    case page
}

/// Either a reading, an image or a failure.
struct ReaderReply: Codable, Equatable, Sendable {
    var id: UInt64
    var reading: PageReading?
    /// A JPEG.
    var image: Data?
    var failure: ReadingFailure?
}
