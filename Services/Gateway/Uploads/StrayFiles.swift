import BlobStore
import Logging
import ServiceKit
import ServiceLifecycle

/// Every hour removes the files of uploads that a killed gateway did not finish.
struct StrayFiles: Service {
    let blobs: BlobStore
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let removed = try await blobs.removeStrays()
                    if removed > 0 { logger.info("removed unfinished uploads", metadata: [LogKey.count: "\(removed)"]) }
                } catch {
                    logger.warning("could not remove unfinished uploads", metadata: [LogKey.error: "\(error)"])
                }
                // Ends early only at the stop.
                try? await Task.sleep(for: .seconds(3600))
            }
        }
    }
}
