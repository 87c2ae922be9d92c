/// One page to be read, as found in an uploaded file.
package struct IntakePage: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// The uploaded file itself.
        case upload
        /// An entry of the uploaded archive: what `store` returned for its bytes.
        case stored(String)
    }

    /// For people: the file's name, or `archive.zip/entry.jpg`.
    package var name: String
    package var content: Content
    /// The page of a TIFF or PDF, 0 for the first.
    package var page: Int
    /// Never `zip`.
    package var kind: FileKind

    package init(name: String, content: Content, page: Int, kind: FileKind) {
        self.name = name
        self.content = content
        self.page = page
        self.kind = kind
    }
}

/// What an uploaded file holds.
package struct IntakeResult: Sendable {
    /// An entry of an archive that is not taken.
    package struct Refusal: Equatable, Sendable {
        package var name: String
        package var failure: IntakeFailure
    }

    /// In the order of the file; the entries of an archive in the order of their names.
    package var pages: [IntakePage]
    package var refused: [Refusal]
}
