/// One page of one scan.
package struct ScanSource: Sendable {
    package enum Content: Sendable {
        case bytes([UInt8])
        /// A file of this machine.
        case path(String)
    }

    package var content: Content
    /// The page of a PDF or TIFF, 0 for the first; always 0 for PNG and JPEG.
    package var page: Int

    package init(bytes: [UInt8], page: Int = 0) {
        content = .bytes(bytes)
        self.page = page
    }

    package init(path: String, page: Int = 0) {
        content = .path(path)
        self.page = page
    }
}
