import Access
import Accounts
import ServiceKit
import Webhooks

/// What the gateway reads from its environment besides what every service does.
struct GatewayConfiguration: Sendable {
    /// `HTTP_HOST`
    var host = "127.0.0.1"
    /// `HTTP_PORT`; 0 takes any free port.
    var port = 8080
    /// `HTTP_MAX_UPLOAD_BYTES`, `HTTP_MAX_FILE_BYTES`, `HTTP_MAX_FILES`, `HTTP_MIN_UPLOAD_RATE`
    var upload = UploadLimits()
    /// `HTTP_IDLE_TIMEOUT`: how long a connection may be without a request.
    var idleTimeout: Duration = .seconds(75)
    /// `HTTP_TRUSTED_PROXIES`
    var proxies = TrustedProxies()
    /// `HTTP_RATE_LIMIT_USER` and `HTTP_RATE_LIMIT_ADDRESS`: requests a minute, 0 for any number.
    var rateLimitUser = 600_000
    var rateLimitAddress = 600_000
    /// `HTTP_CORS_ORIGINS`: foreign web pages that may use the API.
    var origins = CrossOrigin.none
    /// `HTTP_BEHIND_TLS`: a proxy ends TLS in front of this server.
    var isBehindTLS = false
    /// Whose tokens are accepted.
    var token = TokenConfiguration()
    /// `JWT_TTL`: seconds an access token is valid.
    var tokenLifetime = 8 * 3600
    /// `JWT_REFRESH_TTL`: seconds a session lives, from the sign-in on, as long as its refresh tokens are used.
    var sessionLifetime = 30 * 86_400
    /// `JWT_REFRESH_GRACE`: seconds a refresh token is good after its use: for answers that were lost, and windows of a
    /// browser that come at the same time.
    var refreshGrace = 10
    /// `SIGN_IN_MAX_FAILURES`, `SIGN_IN_MAX_FAILURES_PER_ADDRESS`, `SIGN_IN_WINDOW`
    var signIn = SignInLimits()
    /// Of new password hashes. No setting: cheaper ones are for tests.
    var passwordCost = PasswordHash.Cost.current
    /// `AUDIT_RETENTION`: entries of the audit log are kept so long.
    var auditRetention: Duration = .seconds(365 * 24 * 3600)
    /// `REVIEW_LEASE`: so long nobody else gets a review that somebody has taken.
    var reviewLease: Duration = .seconds(600)
    /// `ADMIN_PASSWORD_FILE`: holds the password the user `admin` is created with when there is none.
    var adminPasswordFile: String?
    /// `WEBSOCKET_…`, `MAX_MESSAGE_QUEUE_SIZE`, `HTTP_MAX_CONNECTIONS`
    var realtime = RealtimeConfiguration()
    /// `WEBHOOK_…`
    var webhooks = WebhookConfiguration()

    enum Switch: String, CaseIterable {
        case yes, no
    }

    init() {}

    /// - Throws: `SettingsError` naming the setting and what is expected.
    init(reader: SettingsReader) throws {
        host = reader.text("HTTP_HOST") ?? host
        port = try reader.integer("HTTP_PORT", in: 0...65_535, default: port)
        upload.totalBytes = try reader.integer(
            "HTTP_MAX_UPLOAD_BYTES", in: 1024...1 << 40, default: upload.totalBytes)
        upload.fileBytes = try reader.integer("HTTP_MAX_FILE_BYTES", in: 1024...1 << 40, default: upload.fileBytes)
        upload.files = try reader.integer("HTTP_MAX_FILES", in: 1...10_000, default: upload.files)
        upload.minRate = try reader.integer("HTTP_MIN_UPLOAD_RATE", in: 0...1 << 30, default: upload.minRate)
        idleTimeout = try reader.seconds("HTTP_IDLE_TIMEOUT", in: 1...3600, default: idleTimeout)
        proxies = try TrustedProxies(reader: reader)
        token = try TokenConfiguration(reader: reader)
        let limits = 0...1_000_000_000
        rateLimitUser = try reader.integer("HTTP_RATE_LIMIT_USER", in: limits, default: rateLimitUser)
        rateLimitAddress = try reader.integer("HTTP_RATE_LIMIT_ADDRESS", in: limits, default: rateLimitAddress)
        if let text = reader.text("HTTP_CORS_ORIGINS") {
            guard let origins = CrossOrigin(text) else {
                throw SettingsError(
                    name: "HTTP_CORS_ORIGINS",
                    problem:
                        "is \"\(text)\"; * or origins such as https://school.example separated by commas are expected")
            }
            self.origins = origins
        }
        isBehindTLS = try reader.choice("HTTP_BEHIND_TLS", default: Switch.no) == .yes
        tokenLifetime = try reader.integer("JWT_TTL", in: 1...31_536_000, default: tokenLifetime)
        sessionLifetime = try reader.integer("JWT_REFRESH_TTL", in: 1...31_536_000, default: sessionLifetime)
        refreshGrace = try reader.integer("JWT_REFRESH_GRACE", in: 0...300, default: refreshGrace)
        signIn.failuresPerUser = try reader.integer(
            "SIGN_IN_MAX_FAILURES", in: 0...1_000_000, default: signIn.failuresPerUser)
        signIn.failuresPerAddress = try reader.integer(
            "SIGN_IN_MAX_FAILURES_PER_ADDRESS", in: 0...1_000_000, default: signIn.failuresPerAddress)
        signIn.window = try reader.seconds("SIGN_IN_WINDOW", in: 1...86_400, default: signIn.window)
        auditRetention = try reader.seconds("AUDIT_RETENTION", in: 3600...3_153_600_000, default: auditRetention)
        reviewLease = try reader.seconds("REVIEW_LEASE", in: 5...86_400, default: reviewLease)
        adminPasswordFile = reader.text("ADMIN_PASSWORD_FILE")
        realtime = try RealtimeConfiguration(reader: reader)
        webhooks = try WebhookConfiguration(reader: reader)
    }
}
