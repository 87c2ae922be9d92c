/// The value of an owner key: `<member> <fence>`. A member is a replica's name with a part that is new at every start,
/// so that a replica is never taken for its own predecessor.
enum PartitionToken {
    private static let separator: Character = "~"

    static func member(of replica: String) -> String {
        let number = UInt32.random(in: .min ... .max)
        let digits = String(number, radix: 16)
        return "\(replica)\(separator)\(String(repeating: "0", count: 8 - digits.count))\(digits)"
    }

    static func member(_ token: String) -> String {
        token.split(separator: " ", maxSplits: 1).first.map(String.init) ?? token
    }

    /// The replica's name as its operator knows it.
    static func replica(_ token: String) -> String {
        let member = member(token)
        return member.lastIndex(of: separator).map { String(member[..<$0]) } ?? member
    }
}
