/// The life of the whole system on one machine: Redis, then the services, then the ready line; at the end the gateway
/// first, so that nothing new comes in, then the other services, then Redis.
struct SystemStateMachine: Sendable {
    /// What is started and stopped together, in the order of starting.
    enum Stage: Int, CaseIterable, Sendable {
        case redis
        case services
        case gateway
    }

    enum Event: Equatable, Sendable {
        case redisReady
        case servicesReady
        /// A process was given up, or the services were not ready in time. Means nothing once the system was ready.
        case failed(String)
        case signal
        /// What an ephemeral system was started for is done.
        case companionEnded
        /// Every process of the stage has ended.
        case ended(Stage)
    }

    enum Action: Equatable, Sendable {
        /// The services and the gateway.
        case startServices
        case announceReady
        /// Ask the stage's processes to end, and kill them at the deadline.
        case stop(Stage)
        case killEverything
        case finish(failure: String?)
    }

    private enum State {
        case startingRedis
        case startingServices
        case ready
        case stopping(Stage, failure: String?)
        case finished
    }

    private var state: State

    /// - Parameter hasPrivateRedis: false when Redis runs elsewhere and is taken to be there.
    init(hasPrivateRedis: Bool) {
        self.hasPrivateRedis = hasPrivateRedis
        state = .startingRedis
    }

    private let hasPrivateRedis: Bool

    mutating func handle(_ event: Event) -> [Action] {
        switch (state, event) {
        case (.startingRedis, .redisReady):
            state = .startingServices
            return [.startServices]
        case (.startingServices, .servicesReady):
            state = .ready
            return [.announceReady]
        case (.startingRedis, .signal): return stop(from: .redis, failure: nil)
        case (.startingServices, .signal), (.ready, .signal), (.ready, .companionEnded):
            return stop(from: .gateway, failure: nil)
        case (.startingRedis, .failed(let message)): return stop(from: .redis, failure: message)
        case (.startingServices, .failed(let message)): return stop(from: .gateway, failure: message)
        case (.stopping(_, let failure), .signal):
            state = .finished
            return [.killEverything, .finish(failure: failure ?? "killed by a second signal")]
        case (.stopping(let stage, let failure), .ended(let ended)) where ended == stage:
            guard let next = Stage(rawValue: stage.rawValue - 1) else { return finish(failure) }
            return stop(from: next, failure: failure)
        default:
            return []
        }
    }

    private mutating func stop(from stage: Stage, failure: String?) -> [Action] {
        if stage == .redis && !hasPrivateRedis { return finish(failure) }
        state = .stopping(stage, failure: failure)
        return [.stop(stage)]
    }

    private mutating func finish(_ failure: String?) -> [Action] {
        state = .finished
        return [.finish(failure: failure)]
    }
}
