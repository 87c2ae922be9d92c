import CQREncode

/// The modules of a QR code.
struct QRCode {
    /// Modules a side.
    let size: Int
    private let dark: [Bool]

    /// Error correction M: a seventh of the code may be damaged.
    init(_ text: String) throws(PrintingError) {
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else {
            throw PrintingError(.codeTooLong, "\(text.utf8.count) bytes do not fit into a QR code")
        }
        defer { QRcode_free(code) }
        let size = Int(code.pointee.width)
        self.size = size
        dark = (0..<size * size).map { code.pointee.data[$0] & 1 == 1 }
    }

    /// The dark modules of a row as ranges of columns.
    func runs(row: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for column in 0..<size where dark[row * size + column] {
            if let last = runs.last, last.upperBound == column {
                runs[runs.count - 1] = last.lowerBound..<column + 1
            } else {
                runs.append(column..<column + 1)
            }
        }
        return runs
    }
}
