package import Domain
internal import Redis

/// How the latest deliveries of a webhook went.
package struct WebhookState: Equatable, Sendable {
    package struct Failure: Equatable, Sendable {
        package var time: Timestamp
        /// nil without an answer.
        package var status: Int?
        /// For people.
        package var reason: String
    }

    package var lastSuccess: Timestamp?
    package var lastFailure: Failure?
    /// Attempts in a row, up to now.
    package var consecutiveFailures = 0
    /// The time of the first of them.
    package var failingSince: Timestamp?

    /// - Parameter fields: of the hash that `record_delivery.lua` writes.
    init(_ fields: [(name: String, value: RESPValue)]) {
        let values = Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        func time(_ name: String) -> Timestamp? {
            values[name]?.int.map { Timestamp(milliseconds: Int64($0)) }
        }
        lastSuccess = time("success")
        lastFailure = time("failure").map {
            Failure(
                time: $0, status: values["failure_status"]?.int, reason: values["failure_reason"]?.string ?? "failed")
        }
        consecutiveFailures = values["failures"]?.int ?? 0
        failingSince = time("failing_since")
    }
}
