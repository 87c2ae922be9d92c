import Access
import AsyncHTTPClient
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import ServiceKit
import ServiceLifecycle

/// Where the public keys of an outside issuer are.
enum KeySetLocation: Sendable, Equatable {
    case file(String)
    /// `https`, or `http` on this machine.
    case url(String)
}

/// Keeps the keys that tokens are checked with up to date: secrets and files when they are written anew, a key set of
/// the net every ten minutes, and all of them sooner when a token names a key nobody knows.
///
/// What cannot be read leaves what was there as it is.
actor TokenKeys: Service {
    private let tokens: TokenAuthority
    private let secrets: TokenSecretSource
    private let location: KeySetLocation?
    private let logger: Logger

    private var secretStamp: String?
    private var setStamp: String?
    private var lastFetch: ContinuousClock.Instant?
    private var fetching: Task<Void, Never>?

    static let fileInterval: Duration = .seconds(5)
    static let fetchInterval: Duration = .seconds(600)
    /// Between fetches for unknown keys: nobody makes this system call another at will.
    static let urgentInterval: Duration = .seconds(10)
    static let fetchDeadline = TimeAmount.seconds(5)

    init(tokens: TokenAuthority, secrets: TokenSecretSource, location: KeySetLocation?, logger: Logger) {
        self.tokens = tokens
        self.secrets = secrets
        self.location = location
        self.logger = logger
    }

    /// Loads all for the first time. A key set of the net that cannot be had now is got later.
    ///
    /// - Throws: `TokenSecretError` when a file cannot be used.
    func load() async throws {
        secretStamp = secrets.file.stamp
        if case .file(let path) = location {
            setStamp = FileStamp.of(path)
            tokens.use(try await Self.read(path))
        }
        await refresh(isUrgent: false)
    }

    nonisolated func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.fileInterval)
                await self.refresh(isUrgent: false)
            }
        }
    }

    /// - Parameter isUrgent: for a token with an unknown key.
    func refresh(isUrgent: Bool) async {
        await readSecrets()
        switch location {
        case .file(let path): await readSet(path)
        case .url(let url): await fetchSet(url, after: isUrgent ? Self.urgentInterval : Self.fetchInterval)
        case nil: break
        }
    }

    private func readSecrets() async {
        guard secrets.given.isEmpty, let stamp = secrets.file.stamp, stamp != secretStamp else { return }
        do {
            let new = try secrets.file.read()
            try await tokens.use(new)
            secretStamp = stamp
            logger.notice("token secrets read anew", metadata: [LogKey.count: "\(new.count)"])
        } catch {
            logger.error("could not read the token secrets", metadata: [LogKey.error: "\(error)"])
        }
    }

    private func readSet(_ path: String) async {
        guard let stamp = FileStamp.of(path), stamp != setStamp else { return }
        do {
            tokens.use(try await Self.read(path))
            setStamp = stamp
            logger.notice("the issuer's keys read anew")
        } catch {
            logger.error("could not read the issuer's keys", metadata: [LogKey.error: "\(error)"])
        }
    }

    /// One at a time; who comes meanwhile waits for it.
    private func fetchSet(_ url: String, after interval: Duration) async {
        if fetching == nil {
            if let lastFetch, ContinuousClock.now - lastFetch < interval { return }
            lastFetch = .now
            // Several callers wait for it, any of which may be cancelled; the deadline ends it.
            fetching = Task { await self.fetch(url) }
        }
        await fetching?.value
    }

    private func fetch(_ url: String) async {
        defer { fetching = nil }
        do {
            var configuration = HTTPClient.Configuration.singletonConfiguration
            configuration.redirectConfiguration = .disallow
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            defer { Task { try? await client.shutdown() } }
            let response = try await client.execute(HTTPClientRequest(url: url), timeout: Self.fetchDeadline)
            guard response.status.code == 200 else {
                throw KeySetError(description: "it answers \(response.status.code)")
            }
            let body = try await response.body.collect(upTo: JSONWebKeySet.maxBytes)
            tokens.use(try await JSONWebKeySet(Array(body.readableBytesView)))
        } catch {
            logger.error("could not fetch the issuer's keys", metadata: [LogKey.error: "\(error)"])
        }
    }

    private static func read(_ path: String) async throws -> JSONWebKeySet {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw KeySetError(description: "cannot read \(path)")
        }
        return try await JSONWebKeySet([UInt8](data))
    }
}

struct KeySetError: Error, CustomStringConvertible {
    let description: String
}
