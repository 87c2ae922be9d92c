package import Domain

extension DeadLetter {
    /// When the group gave up, by the clock of the server.
    package var failedAt: Timestamp { Timestamp(milliseconds: Int64(clamping: id.position.milliseconds)) }

    /// As clients and `zhiyue dead-letters --json` show it, the event in the JSON format of CloudEvents or null.
    package func json() throws -> [UInt8] {
        var bytes = try JSON.encode(
            Attributes(
                deliveries: deliveries, error: error, failedAt: failedAt, group: group, handler: handler,
                id: id.description, partition: id.partition, position: original.description))
        bytes.removeLast()
        bytes += Array(#","event":"#.utf8)
        bytes += try event.map { try EventCodec.cloudEventJSON($0) } ?? Array("null".utf8)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private struct Attributes: Encodable {
        var deliveries: Int
        var error: String
        var failedAt: Timestamp
        var group: String
        var handler: String
        var id: String
        var partition: Int
        var position: String

        enum CodingKeys: String, CodingKey {
            case deliveries, error
            case failedAt = "failed_at"
            case group, handler, id, partition, position
        }
    }
}

extension EventBus {
    /// The identifiers of all dead letters that match, whatever limit `query` has.
    package func deadLetterIDs(matching query: DeadLetterQuery) async throws -> [DeadLetterID] {
        var query = query
        query.limit = 1000
        var ids: [DeadLetterID] = []
        repeat {
            let page = try await deadLetters(query)
            ids += page.deadLetters.map(\.id)
            query.cursor = page.next
        } while query.cursor != nil
        return ids
    }
}
