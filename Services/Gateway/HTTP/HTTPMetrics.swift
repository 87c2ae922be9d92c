import HTTPTypes
import Synchronization

/// Counts requests and their time by address, as Prometheus reads them. Labels are declared addresses, known methods and
/// statuses, so there is a bounded number of series.
final class HTTPMetrics: Sendable {
    private struct Request: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    private struct Route: Hashable {
        var method: String
        var route: String
    }

    private struct Times {
        /// Requests up to each bound, not added up.
        var counts = [Int](repeating: 0, count: HTTPMetrics.bounds.count + 1)
        var sum = 0.0
    }

    private struct State {
        var requests: [Request: Int] = [:]
        var times: [Route: Times] = [:]
    }

    /// Seconds.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

    private let state = Mutex(State())

    /// - Parameters:
    ///   - route: as declared, nil when there is nothing at the address.
    ///   - seconds: from the request's head to the answer's.
    func record(method: HTTPRequest.Method, route: String?, status: Int, seconds: Double) {
        let method = Self.methods.contains(method.rawValue) ? method.rawValue : "other"
        // The router's own name for it reads like a status.
        let route = route == "NotFound" ? "none" : route ?? "none"
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.requests[Request(method: method, route: route, status: status), default: 0] += 1
            state.times[Route(method: method, route: route), default: Times()].counts[bucket] += 1
            state.times[Route(method: method, route: route), default: Times()].sum += seconds
        }
    }

    /// In the text format of Prometheus.
    var text: String {
        let state = state.withLock { $0 }
        var lines = [
            "# HELP http_requests_total Requests answered, by address and status.",
            "# TYPE http_requests_total counter",
        ]
        for (request, count) in state.requests {
            let labels = #"method="\#(request.method)",route="\#(request.route)",status="\#(request.status)""#
            lines.append("http_requests_total{\(labels)} \(count)")
        }
        lines[2...].sort()
        lines += [
            "# HELP http_request_duration_seconds Time until the answer began.",
            "# TYPE http_request_duration_seconds histogram",
        ]
        for (route, times) in state.times.sorted(by: { ($0.key.route, $0.key.method) < ($1.key.route, $1.key.method) })
        {
            let labels = #"method="\#(route.method)",route="\#(route.route)""#
            var total = 0
            for (bound, count) in zip(Self.bounds.map { "\($0)" } + ["+Inf"], times.counts) {
                total += count
                lines.append(#"http_request_duration_seconds_bucket{\#(labels),le="\#(bound)"} \#(total)"#)
            }
            lines.append("http_request_duration_seconds_sum{\(labels)} \(times.sum)")
            lines.append("http_request_duration_seconds_count{\(labels)} \(total)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
