internal import ArgumentParser

/// How many processes of each service run, written `ocr-worker=2,notifier=0`; one of each when not said otherwise.
struct ReplicaCounts: ExpressibleByArgument, Equatable, Sendable {
    static let maximum = 64

    private var counts: [ServiceKind: Int] = [:]

    init() {}

    /// - Returns: nil for an unknown service, one named twice, or a number that is not from 0 to 64. The gateway, which
    ///   has the port, is always one.
    init?(argument: String) {
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let kind = ServiceKind(rawValue: String(pair[0])), let count = Int(pair[1]),
                (0...Self.maximum).contains(count), counts[kind] == nil, kind != .gateway || count == 1
            else { return nil }
            counts[kind] = count
        }
    }

    subscript(kind: ServiceKind) -> Int { counts[kind] ?? 1 }
}
