internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1

/// Asks a gateway whether it can serve.
struct GatewayProbe: Sendable {
    let url: String

    /// Returns once the gateway answers that it is ready.
    func waitUntilReady() async throws {
        while !(await isReady()) { try await Task.sleep(for: .milliseconds(20)) }
    }

    private func isReady() async -> Bool {
        let request = HTTPClientRequest(url: "\(url)/readyz")
        // An error is an answer here: nobody listens yet.
        let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(2))
        return response?.status == .ok
    }
}
