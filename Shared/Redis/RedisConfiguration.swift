/// Where the server is and how a client behaves. Never prints its password.
package struct RedisConfiguration: Sendable {
    package enum Endpoint: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unixSocket(path: String)
    }

    package struct TLS: Sendable, Equatable {
        /// PEM file of the authorities to trust; the system's when nil.
        package var authorityFile: String?

        package init(authorityFile: String? = nil) {
            self.authorityFile = authorityFile
        }
    }

    package var endpoint: Endpoint
    /// ACL user; nil is the server's default user.
    package var user: String?
    package var password: String?
    /// Database number, 0 or more.
    package var database: Int
    /// TLS with verification of certificate and host name; nil is plain text.
    package var tls: TLS?
    /// The name shown by `CLIENT LIST`: printable ASCII without spaces.
    package var clientName: String

    /// Connections shared by all callers, 1 to 64. One is the fastest as long as replies are small: more concurrent
    /// commands then share a write.
    package var poolSize = 1
    /// Connections for blocking reads and transactions that may exist at once.
    package var maxDedicatedConnections = 32
    /// Dedicated connections kept open for the next caller.
    package var maxIdleDedicatedConnections = 2
    /// From `send` to the reply. A command not sent by then fails with `.notSent`, one without a reply by then with
    /// `.timedOut`.
    package var commandTimeout: Duration = .seconds(5)
    /// From the first byte to the server's answer to the greeting (TLS, AUTH, SELECT).
    package var connectTimeout: Duration = .seconds(3)
    /// Commands a shared connection may have sent and not yet got replies to; beyond it callers wait in the queue.
    package var maxInFlight = 1024
    /// Commands of all callers that may wait in the queue; beyond it callers fail with `.notSent`.
    package var maxQueuedCommands = 16_384
    /// Bytes of all commands in the queue.
    package var maxQueuedBytes = 32 << 20
    /// A reply larger than this, in bytes, closes the connection.
    package var maxReplyBytes = 64 << 20
    package var reconnect = ReconnectBackoff()

    package init(endpoint: Endpoint) {
        self.endpoint = endpoint
        database = 0
        clientName = "zhiyue"
    }

    /// - Parameter url: `redis://[user[:password]@]host[:port][/database]`, `rediss://…` for TLS (`?cacert=FILE` to
    ///   trust the authorities in that PEM file instead of the system's), or `unix://[user:password@]/path.sock`;
    ///   each with `?db=N`. User, password, path and values may be percent-encoded. Port 6379 is the default.
    /// - Throws: `RedisError` of code `.invalidConfiguration` that says which part is wrong, without the password.
    package init(url: String) throws(RedisError) {
        let parts = try RedisURL(url)
        self.init(endpoint: parts.endpoint)
        user = parts.user
        password = parts.password
        database = parts.database
        tls = parts.usesTLS ? TLS(authorityFile: parts.authorityFile) : nil
    }

    /// The server's address as shown to people.
    package var address: String {
        switch endpoint {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path
        }
    }

    /// - Throws: `.invalidConfiguration` naming the first option out of its range.
    func validate() throws(RedisError) {
        func check(_ isValid: Bool, _ message: String) throws(RedisError) {
            guard isValid else { throw RedisError(.invalidConfiguration, message) }
        }
        try check((1...64).contains(poolSize), "poolSize must be 1 to 64, is \(poolSize)")
        try check(maxDedicatedConnections >= 0, "maxDedicatedConnections must not be negative")
        try check(maxIdleDedicatedConnections >= 0, "maxIdleDedicatedConnections must not be negative")
        try check(commandTimeout > .zero, "commandTimeout must be positive")
        try check(connectTimeout > .zero, "connectTimeout must be positive")
        try check(maxInFlight > 0, "maxInFlight must be positive")
        try check(maxQueuedCommands > 0, "maxQueuedCommands must be positive")
        try check(maxQueuedBytes > 0, "maxQueuedBytes must be positive")
        try check(maxReplyBytes >= 64, "maxReplyBytes must be at least 64")
        try check(database >= 0, "the database number must not be negative, is \(database)")
        try check(user == nil || password != nil, "a user needs a password")
        try check(
            clientName.utf8.allSatisfy { (0x21...0x7E).contains($0) },
            "clientName must be printable ASCII without spaces")
    }
}

extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        let scheme =
            switch endpoint {
            case .unixSocket: "unix"
            case .tcp: tls == nil ? "redis" : "rediss"
            }
        let login = password == nil ? "" : "\(user ?? ""):***@"
        return "\(scheme)://\(login)\(address)?db=\(database)"
    }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}
