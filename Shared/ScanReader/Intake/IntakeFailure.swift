/// Why an uploaded file, or an entry of an uploaded archive, is not taken.
package struct IntakeFailure: Error, Codable, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Codable, Sendable, CaseIterable {
        case empty
        /// Neither PNG, JPEG, TIFF, PDF nor ZIP.
        case notAnImage = "not_an_image"
        /// Cut short, broken, or protected by a password.
        case damaged
        /// More bytes or pixels than allowed.
        case tooLarge = "too_large"
        case tooManyPages = "too_many_pages"
        /// More entries, more bytes or a higher ratio than any archive of scans has: a ZIP bomb, likely.
        case archiveTooLarge = "archive_too_large"
        /// An archive in an archive.
        case nestedArchive = "nested_archive"
        /// An archive without a single scan.
        case noScans = "no_scans"
        /// The server could not read, store or look at it; not the file's fault.
        case unavailable
        /// The server's disk is full.
        case storageFull = "storage_full"
    }

    package var code: Code
    /// One or two sentences: what is wrong and what to do.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// True when the file is not to blame, so that the whole upload has to come again.
    package var isOurs: Bool { code == .unavailable || code == .storageFull }

    package var description: String { "\(code.rawValue): \(message)" }
}
