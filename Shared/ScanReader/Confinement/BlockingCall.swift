internal import Dispatch

/// Waiting for something that blocks a thread, without blocking one of the few that async code shares.
enum BlockingCall {
    static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "blocking").async { continuation.resume(returning: body()) }
        }
    }
}
