import Domain
import EventBus
import Logging
import Redis
import TestSupport
import Testing

@testable import Audit

@Suite struct AuditLogTests {
    static let server = Result { try RedisServer() }

    private let client: RedisClient
    private let keys = RedisKeys(prefix: "t\(UInt64.random(in: 0...(.max)))")
    private let log: AuditLog

    init() throws {
        client = try RedisClient(
            configuration: RedisConfiguration(url: Self.server.get().url),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        log = AuditLog(client: client, keys: keys, partitions: 4)
    }

    private func entry(_ number: Int, _ action: AuditAction = .tokenIssued, exam: ExamID? = nil) -> AuditEntry {
        AuditEntry(
            action, actor: "user\(number % 3)", address: "127.0.0.1", source: "/test", subject: "user/\(number)",
            examID: exam, correlationID: "chain", details: ["number": "\(number)"])
    }

    private func all(_ query: AuditQuery) async throws -> [AuditRecord] {
        var query = query
        var records: [AuditRecord] = []
        repeat {
            let page = try await log.list(query)
            records += page.records
            query.cursor = page.next
        } while query.cursor != nil
        return records
    }

    @Test func `what is written is read as it was`() async throws {
        let whole = entry(1, exam: "e1")
        let bare = AuditEntry(.signInRefused, actor: nil, source: "/test", subject: "sign-in")
        try await log.append(whole)
        try await log.append(bare)
        #expect(try await log.list(AuditQuery()).records.map(\.entry) == [whole, bare])
        let json = try JSON.string(try await log.list(AuditQuery(actions: [.signInRefused])).records[0])
        #expect(json.contains(#""actor":null,"address":null,"correlation_id":null,"details":{},"exam_id":null"#))
    }

    @Test(arguments: [AuditQuery.Order.oldestFirst, .newestFirst], [1, 7, 100])
    func `entries of all streams come in the order of time, page by page, each once`(
        order: AuditQuery.Order, limit: Int
    ) async throws {
        for number in 0..<60 {
            try await log.append(entry(number, number % 5 == 0 ? .signInRefused : .tokenIssued))
        }
        let records = try await all(AuditQuery(order: order, limit: limit))
        #expect(Set(records.map(\.entry.subject)).count == 60)
        #expect(records.count == 60)
        let ids = records.map(\.id)
        #expect(ids == (order == .oldestFirst ? ids.sorted() : ids.sorted().reversed()))
        let partitions = Set(ids.map(\.stream))
        #expect(partitions == [0, 1, 2, 3, 4])
    }

    @Test func `more entries than a read takes are all found`() async throws {
        let count = AuditMerge.chunk * 2 + 1
        for number in 0..<count { try await log.append(entry(number, exam: "one")) }
        for order in [AuditQuery.Order.oldestFirst, .newestFirst] {
            let records = try await all(AuditQuery(examID: "one", order: order, limit: 150))
            let numbers = records.compactMap { $0.entry.details["number"].flatMap { Int($0) } }
            #expect(numbers == (order == .oldestFirst ? Array(0..<count) : (0..<count).reversed()))
        }
    }

    @Test func `filters leave out what does not match`() async throws {
        for number in 0..<12 { try await log.append(entry(number, exam: number < 6 ? "a" : "b")) }
        try await log.append(entry(12, .signedIn))
        #expect(try await all(AuditQuery(actions: [.signedIn])).count == 1)
        #expect(try await all(AuditQuery(actor: "user1")).count == 4)
        #expect(try await all(AuditQuery(examID: "b")).count == 6)
        #expect(try await all(AuditQuery(correlationID: "other")).isEmpty)
        let records = try await all(AuditQuery())
        let middle = records[5].time
        let until = try await all(AuditQuery(to: middle))
        #expect(until == records.filter { $0.time <= middle })
        #expect(try await all(AuditQuery(from: middle)) == records.filter { $0.time >= middle })
        let newest = try await all(AuditQuery(from: middle, to: middle, order: .newestFirst))
        #expect(newest == records.filter { $0.time == middle }.reversed())
    }

    @Test func `what is older than the retention goes, the rest stays`() async throws {
        for number in 0..<3 {
            _ = try await client.send(
                RedisCommand(
                    "XADD", arguments: [keys.audit(number), "1000-1"] + AuditCodec.arguments(entry(number))))
        }
        try await log.append(entry(9))
        #expect(try await log.trim(retention: .seconds(3600)) == 3)
        #expect(try await all(AuditQuery()).map(\.entry) == [entry(9)])
        #expect(try await log.trim(retention: .seconds(3600)) == 0)
    }

    @Test func `refused sign-ins drive out nothing else`() async throws {
        try await log.append(entry(1))
        for number in 0..<50 { try await log.append(entry(number, .signInRefused)) }
        #expect(try await client.send(["XLEN", keys.auditRefusals]).int == 50)
        #expect(try await all(AuditQuery(actions: [.tokenIssued])).count == 1)
    }

    @Test func `a detail that is too long is cut`() async throws {
        var long = entry(1)
        long.details["number"] = String(repeating: "智", count: 1000)
        try await log.append(long)
        let stored = try await log.list(AuditQuery()).records[0].entry.details["number"]
        #expect(stored == String(repeating: "智", count: 333) + "…")
    }

    @Test func `an entry that is none is skipped, and a wrong limit refused`() async throws {
        _ = try await client.send(["XADD", keys.audit(1), "*", "hello", "world"])
        try await log.append(entry(1))
        #expect(try await all(AuditQuery(limit: 1)).count == 1)
        await #expect(throws: EventBusError.self) { try await log.list(AuditQuery(limit: 0)) }
    }
}
