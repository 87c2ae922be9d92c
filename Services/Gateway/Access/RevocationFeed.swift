import Accounts
import Logging
import ServiceKit
import ServiceLifecycle

/// Reads what is revoked, on any gateway or by the command line, as it happens. After a lost connection it reads
/// everything anew.
struct RevocationFeed: Service {
    let accounts: Accounts
    let list: RevocationList
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await accounts.follow { list.apply($0) }
                } catch  where !Task.isCancelled {
                    logger.warning("could not follow revocations", metadata: [LogKey.error: "\(error)"])
                } catch {}
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
