extension TimeZoneRules {
    /// Reads a time zone file (TZif, RFC 9636) of version 2 or later: its 64-bit block and its footer.
    /// - Throws: `.invalid` when it is malformed, of version 1, or counts leap seconds.
    init(name: String, file: [UInt8]) throws(TaskQueueError) {
        func refuse(_ why: String) -> TaskQueueError {
            TaskQueueError(.invalid, "the file of time zone \(name) cannot be used: \(why)")
        }
        var reader = Reader(bytes: file)
        guard let old = reader.header() else { throw refuse("it is no time zone file") }
        guard old.version >= UInt8(ascii: "2") else { throw refuse("its format is too old") }
        // The first block has 32-bit times, for programs of old.
        guard reader.skip(old.length(timeBytes: 4)), let header = reader.header(), header.version == old.version else {
            throw refuse("it ends early")
        }
        guard header.leapSeconds == 0 else { throw refuse("it counts leap seconds") }
        guard header.types >= 1, header.types <= 256, let block = reader.take(header.length(timeBytes: 8)) else {
            throw refuse("it ends early")
        }
        let indexStart = block.startIndex + header.times * 8
        let typeStart = indexStart + header.times
        var offsets: [Int64] = []
        for type in 0..<header.types {
            let start = typeStart + type * 6
            let offset = Int64(Int32(truncatingIfNeeded: Reader.number(block[start..<start + 4])))
            guard abs(offset) < Self.longestOffset else { throw refuse("an offset is out of range") }
            offsets.append(offset)
        }
        var transitions: [Transition] = []
        transitions.reserveCapacity(header.times)
        for index in 0..<header.times {
            let start = block.startIndex + index * 8
            let second = Int64(truncatingIfNeeded: Reader.number(block[start..<start + 8]))
            let type = Int(block[indexStart + index])
            guard type < offsets.count else { throw refuse("a transition has no type") }
            guard Self.times.contains(second), transitions.last.map({ $0.second < second }) ?? true else {
                throw refuse("its transitions are out of order")
            }
            transitions.append(Transition(second: second, offset: offsets[type]))
        }
        guard let footer = reader.footer() else { throw refuse("its footer is missing") }
        var rule: POSIXTimeZoneRule?
        if !footer.isEmpty {
            guard let parsed = POSIXTimeZoneRule(footer) else { throw refuse("its footer is malformed") }
            guard transitions.last.map({ parsed.offset(at: $0.second) == $0.offset }) ?? true else {
                throw refuse("its footer contradicts its last transition")
            }
            rule = parsed
        }
        self.init(name: name, firstOffset: offsets[0], transitions: transitions, rule: rule)
    }

    /// Some files begin with a transition at the Big Bang, in seconds since 1970.
    private static let times: ClosedRange<Int64> = -(1 << 59)...(1 << 59)

    private struct Header {
        let version: UInt8
        let leapSeconds: Int
        let times: Int
        let types: Int
        /// Bytes of the block without times, per entry of the other tables.
        let others: Int

        func length(timeBytes: Int) -> Int {
            times * (timeBytes + 1) + types * 6 + leapSeconds * (timeBytes + 4) + others
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= bytes.count - position else { return nil }
            defer { position += count }
            return bytes[position..<position + count]
        }

        mutating func header() -> Header? {
            guard let header = take(44), header.prefix(4).elementsEqual("TZif".utf8) else { return nil }
            let counts = (0..<6).map { index in
                let start = header.startIndex + 20 + index * 4
                return Int(Self.number(header[start..<start + 4]))
            }
            // isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt
            return Header(
                version: header[header.startIndex + 4], leapSeconds: counts[2], times: counts[3], types: counts[4],
                others: counts[0] + counts[1] + counts[5])
        }

        /// What is between the two newlines at the end.
        mutating func footer() -> ArraySlice<UInt8>? {
            let rest = bytes[position...]
            guard rest.count >= 2, rest.first == UInt8(ascii: "\n"), rest.last == UInt8(ascii: "\n") else { return nil }
            return rest.dropFirst().dropLast()
        }
    }
}
