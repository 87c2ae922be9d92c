import Domain

/// Strong entity tags (RFC 9110).
enum EntityTag {
    /// The exam's version in quotes.
    static func of(_ exam: Exam) -> String { "\"\(exam.version)\"" }

    /// Whether a list of tags, or `*`, holds `tag`.
    ///
    /// - Parameter isStrong: true for `If-Match`, which a weak tag never matches; a proxy that compresses makes tags weak,
    ///   and `If-None-Match` takes them all the same.
    static func list(_ list: String, matches tag: String, isStrong: Bool = false) -> Bool {
        list.split(separator: ",").map { String($0).trimmingBlanks() }.contains { seen in
            seen == "*" || seen == tag || (!isStrong && seen == "W/" + tag)
        }
    }
}
