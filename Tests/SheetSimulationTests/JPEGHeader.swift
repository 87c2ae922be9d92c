/// What a JPEG file says about its size.
struct JPEGHeader {
    let dotsPerInch: Int
    let width: Int
    let height: Int

    /// Nil when the file does not begin with a JFIF segment in dots per inch, or no frame follows.
    init?(_ bytes: [UInt8]) {
        func number(_ place: Int) -> Int? {
            place + 1 < bytes.count ? Int(bytes[place]) << 8 | Int(bytes[place + 1]) : nil
        }
        guard bytes.count > 20, bytes.starts(with: [0xFF, 0xD8, 0xFF, 0xE0]), bytes[13] == 1,
            let density = number(14)
        else { return nil }
        var place = 2
        while place + 8 < bytes.count, bytes[place] == 0xFF {
            if 0xC0...0xC2 ~= bytes[place + 1], let height = number(place + 5), let width = number(place + 7) {
                (dotsPerInch, self.width, self.height) = (density, width, height)
                return
            }
            guard let length = number(place + 2) else { return nil }
            place += 2 + length
        }
        return nil
    }
}
