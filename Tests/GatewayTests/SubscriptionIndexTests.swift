import Access
import Domain
import EventBus
import ExamStore
import Logging
import NIOPosix
import Redis
import Testing

@testable import Gateway

/// The index against the plainest there is, a look at every subscription.
@Suite struct SubscriptionIndexTests {
    private static let exams: [ExamID] = ["a", "b", "c", "d"]
    private static let types = ConnectionTypeCatalog.all.flatMap(\.eventTypes).sorted { $0.rawValue < $1.rawValue }

    @Test(arguments: 0..<60)
    func `it gives each subscription an event concerns once, and no other, whatever was added, removed and withdrawn`(
        seed: UInt64
    ) async throws {
        // Belongs to all of them; nothing is sent.
        let connection = RealtimeConnection(loop: try await RealtimeLoop.idle(), token: nil)
        var random = SplitMix(seed: seed)
        var index = SubscriptionIndex()
        var all: [Subscription] = []
        for number in 0..<200 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where !all.isEmpty:
                let subscription = all.remove(at: Int.random(in: 0..<all.count, using: &random))
                index.remove(subscription)
                #expect(subscription.places.isEmpty)
            case 1:
                guard let subscription = all.randomElement(using: &random),
                    let exam = subscription.filter.exams?.randomElement(using: &random)
                else { continue }
                index.remove(subscription, from: exam)
                subscription.withdraw(exam)
            default:
                let subscription = Self.subscription("\(number)", connection, &random)
                all.append(subscription)
                index.add(subscription)
            }
            if number % 10 == 0 { Self.compare(index, all) }
        }
        Self.compare(index, all)
        for subscription in all { index.remove(subscription) }
        Self.compare(index, [])
        withExtendedLifetime(connection) {}
    }

    private static func subscription(
        _ id: String, _ connection: RealtimeConnection, _ random: inout SplitMix
    ) -> Subscription {
        let kind = Int.random(in: 0..<ConnectionTypeCatalog.all.count, using: &random)
        let types = ConnectionTypeCatalog.all[kind].eventTypes.shuffled(using: &random)
        let named = exams.shuffled(using: &random).prefix(Int.random(in: 1...exams.count, using: &random))
        let request = ClientMessage.Subscribe(
            id: id, kind: kind, exams: Bool.random(using: &random) ? Array(named) : nil,
            eventTypes: Bool.random(using: &random)
                ? Set(types.prefix(Int.random(in: 1...types.count, using: &random))) : nil, cursor: nil)
        let scope = SubscriptionScope(eventTypes: request.eventTypes, questions: nil)
        return Subscription(request, scope: scope, user: "u", connection: connection, partitionCount: 4) { _ in 0 }
    }

    private static func compare(_ index: SubscriptionIndex, _ all: [Subscription]) {
        func names(_ subscription: Subscription, _ exam: ExamID?) -> Bool {
            subscription.filter.exams.map { exams in exam.map { exams.contains($0) } ?? false } ?? true
        }
        for exam in exams.map(Optional.some) + [nil, "of nobody"] {
            for type in types + ["of.nobody"] {
                var found: [String] = []
                index.each(type: type, exam: exam) { found.append($0.id) }
                let expected = all.filter { subscription in
                    let kind = ConnectionTypeCatalog.all[subscription.kind]
                    return names(subscription, exam)
                        && (subscription.filter.eventTypes ?? kind.eventTypes).contains(type)
                }
                #expect(found.sorted() == expected.map(\.id).sorted(), "\(type) \(exam as Any)")
            }
            for kind in ConnectionTypeCatalog.all.indices {
                var found: [String] = []
                index.each(kind: kind, exam: exam) { found.append($0.id) }
                let expected = all.filter {
                    $0.kind == kind && $0.filter.eventTypes == nil && names($0, exam)
                }
                #expect(found.sorted() == expected.map(\.id).sorted(), "kind \(kind) \(exam as Any)")
            }
            guard let exam else { continue }
            let expected = all.filter { $0.filter.exams?.contains(exam) == true }
            #expect(index.naming(exam).map(\.id).sorted() == expected.map(\.id).sorted(), "naming \(exam)")
        }
    }
}

extension RealtimeLoop {
    /// One that nothing happens on. Its Redis is never asked.
    static func idle() async throws -> RealtimeLoop {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let client = RedisClient(configuration: try RedisConfiguration(url: "unix:///nowhere"), logger: logger)
        let secret = try TokenSecret(RunningGateway.secret)
        let tokens = try await TokenAuthority(secret: secret)
        let source = try TokenSecretSource(
            secret: RunningGateway.secret, previous: nil, path: nil, directory: "/nowhere")
        let bus = EventBus(client: client, keys: RedisKeys(), configuration: EventBusConfiguration(), source: "/test")
        return RealtimeLoop(
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(), configuration: RealtimeConfiguration(),
            policy: SubscriptionPolicy(
                access: ExamAccess(store: ExamStore(client: client, keys: RedisKeys(), partitions: 4))),
            authenticator: Authenticator(
                tokens: tokens, revocations: RevocationList(),
                keys: TokenKeys(tokens: tokens, secrets: source, location: nil, logger: logger)),
            slots: StreamSlots(limit: 1, limitPerUser: 1),
            reader: HistoryReader(bus: bus, places: StreamPlaces(client: client, keys: RedisKeys())))
    }
}
