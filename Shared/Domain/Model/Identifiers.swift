/// An exam. Its partition (and so the place of all its records and events) follows from this string alone.
package struct ExamID: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// A new identifier; later ones sort after earlier ones.
    package static func make() -> ExamID {
        ExamID(rawValue: UUIDv7.make().compactString)
    }

    /// 1 to 64 ASCII letters, digits, `_` or `-`: safe in keys, file names and URLs.
    package var isValid: Bool {
        (1...64).contains(rawValue.utf8.count) && rawValue.utf8.allSatisfy(\.isIdentifierByte)
    }
}

/// A sheet: `<exam>.<unique part>`, so the exam, and with it the partition, can be told from the identifier.
package struct SheetID: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package init(exam: ExamID, unique: String) {
        rawValue = "\(exam.rawValue).\(unique)"
    }

    /// A new identifier in `exam`.
    package static func make(exam: ExamID) -> SheetID {
        SheetID(exam: exam, unique: UUIDv7.make().compactString)
    }

    /// The exam the sheet belongs to, or nil when the string is no sheet identifier.
    package var examID: ExamID? {
        guard let dot = rawValue.firstIndex(of: ".") else { return nil }
        let exam = ExamID(rawValue: String(rawValue[..<dot]))
        let unique = rawValue[rawValue.index(after: dot)...]
        guard exam.isValid, (1...64).contains(unique.utf8.count), unique.utf8.allSatisfy(\.isIdentifierByte) else {
            return nil
        }
        return exam
    }
}

/// A user of the system, by sign-in name.
package struct UserID: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// 1 to 64 ASCII letters, digits, `_`, `-`, `.` or `@`.
    package var isValid: Bool {
        (1...64).contains(rawValue.utf8.count)
            && rawValue.utf8.allSatisfy { $0.isIdentifierByte || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "@") }
    }
}

/// A task on a queue. Callers that may submit twice derive it from what the task is about.
package struct TaskID: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package static func make() -> TaskID {
        TaskID(rawValue: UUIDv7.make().compactString)
    }

    /// 1 to 200 ASCII letters, digits, `_`, `-`, `.` or `:`.
    package var isValid: Bool {
        (1...200).contains(rawValue.utf8.count)
            && rawValue.utf8.allSatisfy { $0.isIdentifierByte || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }
    }
}

/// Content-addressed bytes: the lower-case hexadecimal SHA-256 of them.
package struct BlobID: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package var isValid: Bool {
        rawValue.utf8.count == 64
            && rawValue.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}

/// One chain of events and tasks, from the request that caused them to the last effect.
package struct CorrelationID: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package static func make() -> CorrelationID {
        CorrelationID(rawValue: UUIDv7.make().compactString)
    }
}

extension UInt8 {
    var isIdentifierByte: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}
