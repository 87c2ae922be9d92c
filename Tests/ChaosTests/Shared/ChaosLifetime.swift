/// A system that runs until it is stopped.
protocol ChaosLifetime: Sendable {
    func stop() async
}

extension ChaosLifetime {
    /// Stops it when `body` has ended, whatever came of that.
    func untilStopped<Result>(_ body: (Self) async throws -> Result) async throws -> Result {
        do {
            let result = try await body(self)
            await stop()
            return result
        } catch {
            await stop()
            throw error
        }
    }
}
