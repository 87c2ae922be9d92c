/// The headers of one part of a form.
struct MultipartPartHead: Equatable, Sendable {
    /// The name of the form field.
    let name: String
    /// The name the sender gave the file, for display alone: without folders and control characters, at most 255 bytes,
    /// never empty; nil when the part is no file.
    let filename: String?

    init(name: String, filename: String?) {
        self.name = name
        self.filename = filename.map(Self.displayName)
    }

    /// - Parameter block: the header lines without the empty line that ends them.
    init(block: some Collection<UInt8>, maxFields: Int) throws(MultipartError) {
        let fields = try Self.fields(block)
        guard fields.count <= maxFields else {
            throw MultipartError(.tooLarge, "a part has more than \(maxFields) headers")
        }
        guard let text = fields["content-disposition"], let disposition = HeaderValue(text),
            disposition.value == "form-data", let name = disposition.parameters["name"], name.utf8.count <= 100
        else { throw MultipartError(.malformed, "a part lacks Content-Disposition: form-data; name=…") }
        if let type = fields["content-type"], type.lowercased().hasPrefix("multipart/") {
            throw MultipartError(.malformed, "a part is multipart itself")
        }
        if let encoding = fields["content-transfer-encoding"]?.lowercased(),
            !["binary", "8bit", "7bit"].contains(encoding)
        {
            throw MultipartError(.malformed, "a part has a transfer encoding")
        }
        self.init(name: name, filename: try Self.filename(disposition.parameters))
    }

    /// By lower-case name.
    private static func fields(_ block: some Collection<UInt8>) throws(MultipartError) -> [String: String] {
        var fields: [String: String] = [:]
        var rest = Array(block)[...]
        while !rest.isEmpty {
            let line = rest.prefix { $0 != UInt8(ascii: "\r") }
            rest = rest.dropFirst(line.count)
            guard rest.isEmpty || rest.starts(with: "\r\n".utf8) else {
                throw MultipartError(.malformed, "a bare carriage return in a part's headers")
            }
            rest = rest.dropFirst(2)
            let name = line.prefix { $0.isTokenByte }
            let content = line.dropFirst(name.count)
            guard !name.isEmpty, content.first == UInt8(ascii: ":"),
                content.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") }),
                let value = String(validating: content.dropFirst(), as: UTF8.self)
            else { throw MultipartError(.malformed, "a part has a malformed header") }
            let key = String(decoding: name, as: UTF8.self).lowercased()
            guard fields.updateValue(value.trimmingBlanks(), forKey: key) == nil else {
                throw MultipartError(.malformed, "a part has the header \(key) twice")
            }
        }
        return fields
    }

    /// `filename*` (RFC 8187) goes before `filename`, in which browsers write `%22` for a quote.
    private static func filename(_ parameters: [String: String]) throws(MultipartError) -> String? {
        if let extended = parameters["filename*"] {
            let parts = extended.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0].lowercased() == "utf-8", let name = String(parts[2]).percentDecoded()
            else {
                throw MultipartError(.malformed, "filename* is not UTF-8")
            }
            return name
        }
        return parameters["filename"].map { name in
            name.split(separator: "%22", omittingEmptySubsequences: false).joined(separator: "\"")
        }
    }

    private static func displayName(_ name: String) -> String {
        let last = name.split { $0 == "/" || $0 == "\\" }.last ?? ""
        var scalars = String.UnicodeScalarView()
        var bytes = 0
        for scalar in last.unicodeScalars where !isUnprintable(scalar) {
            bytes += UTF8.width(scalar)
            guard bytes <= 255 else { break }
            scalars.append(scalar)
        }
        let text = String(scalars).trimmingBlanks()
        return text.isEmpty || text == "." || text == ".." ? "unnamed" : text
    }

    /// Control characters, and marks that change the direction of the text around them.
    private static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
        default: false
        }
    }
}
