package import SheetPrinting

/// The kinds of file scanners write.
package enum ScanFormat: String, Sendable, CaseIterable {
    case png
    case jpeg
    case tiff
    case pdf

    package var fileExtension: String {
        switch self {
        case .png: "png"
        case .jpeg: "jpg"
        case .tiff: "tif"
        case .pdf: "pdf"
        }
    }

    package var mediaType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        case .tiff: "image/tiff"
        case .pdf: "application/pdf"
        }
    }

    /// Encodes one image, or several as the pages of a PDF.
    ///
    /// - Parameters:
    ///   - images: at least one; formats other than PDF hold the first.
    ///   - quality: of JPEG, 1 to 100.
    /// - Throws: `PrintingError` when an encoder fails.
    package func encode(_ images: [ScannedImage], quality: Int = 85) throws(PrintingError) -> [UInt8] {
        guard let first = images.first else { throw PrintingError(.drawingFailed, "no image to encode") }
        switch self {
        case .png: return try first.png()
        case .jpeg: return try first.jpeg(quality: quality)
        case .tiff: return first.tiff()
        case .pdf: return try ScannedImage.pdf(images, quality: quality)
        }
    }
}
