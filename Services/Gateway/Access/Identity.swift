import Access
import Accounts
import Logging
import ServiceKit
import ServiceLifecycle

/// How the gateway knows who somebody is: sign-in, sessions, and the check of access tokens.
struct Identity: Sendable {
    let signIn: SignIn
    let sessions: Sessions
    let authenticator: Authenticator

    /// - Throws: `SettingsError`, `TokenError`, `RedisError`.
    init(_ context: ServiceContext, configuration: GatewayConfiguration) async throws {
        let settings = configuration.token
        let source = try TokenSecretSource(
            secret: settings.secret, previous: settings.previousSecret, path: settings.secretFile,
            directory: context.settings.dataDirectory)
        let secrets = try source.load()
        let tokens = try await TokenAuthority(secrets: secrets, outside: settings.outside)
        let keys = TokenKeys(tokens: tokens, secrets: source, location: settings.keySet, logger: context.logger)
        try await keys.load()
        let accounts = Accounts(client: context.client, keys: context.settings.keys)
        signIn = SignIn(
            accounts: accounts, passwords: PasswordWork(cost: configuration.passwordCost),
            guarding: SignInGuard(accounts: accounts, limits: configuration.signIn, secret: secrets[0]))
        let revocations = RevocationList()
        try await accounts.revocations().forEach(revocations.apply)
        sessions = Sessions(
            accounts: accounts, tokens: tokens, revocations: revocations, tokenLifetime: configuration.tokenLifetime,
            lifetime: configuration.sessionLifetime, grace: configuration.refreshGrace)
        authenticator = Authenticator(tokens: tokens, revocations: revocations, keys: keys)
    }

    /// What keeps it up to date.
    func services(logger: Logger) -> [any Service] {
        let revocations = RevocationFeed(
            accounts: sessions.accounts, list: sessions.revocations, logger: logger)
        return [revocations, authenticator.keys]
    }
}
