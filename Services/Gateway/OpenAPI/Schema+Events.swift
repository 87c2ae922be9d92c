import Audit
import Domain
import EventBus

extension Schema {
    static let event = object(
        "CloudEvent",
        [
            "specversion": choice(["1.0"]), "id": string, "source": string, "type": string, "time": time,
            "subject?": string, "dataschema": string, "datacontenttype?": string, "data?": any,
            "correlationid?": string, "causationid?": string, "examid?": examID, "actor?": string,
            "traceparent?": string, "partition?": integer, "sequence?": string,
        ])

    // MARK: Replays

    static let replayRequest = object(
        "ReplayRequest",
        [
            "group?": string.with("Of the handlers; alone it means all of them.").orNull, "handler?": string.orNull,
            "exam_id?": examID.orNull, "type?": string.with("Names of events separated by commas.").orNull,
            "correlation_id?": string.orNull, "from?": time.orNull, "to?": time.orNull,
            "dry_run?": boolean.with("Only counts what would be handled.").orNull,
        ])

    static let replay = object(
        "Replay",
        [
            "id": string, "state": choice(["waiting", "running", "completed", "cancelled"]), "group": string,
            "handler": string.orNull, "exam_id": examID.orNull, "types": array(of: string),
            "correlation_id": string.orNull, "from": time.orNull, "to": time.orNull, "total": integer.orNull,
            "handled": integer, "failed": integer,
            "failures": array(of: object(["event": string, "error": string])), "requested_by": string.orNull,
            "requested_at": time, "started_at": time.orNull, "finished_at": time.orNull, "replica": string.orNull,
        ])

    static let replayCount = object(
        "ReplayCount",
        [
            "dry_run": boolean, "events": integer, "exams": integer, "by_type": map(of: integer),
            "first": time.orNull, "last": time.orNull,
        ])

    // MARK: Dead letters

    static let deadLetter = object(
        "DeadLetter",
        [
            "id": string, "partition": integer, "position": string, "group": string, "handler": string,
            "error": string, "deliveries": integer, "failed_at": time,
            "event": event.orNull.with("null when it was removed before it could be kept."),
        ])

    static let deadLetterSelection = object(
        "DeadLetterSelection",
        [
            "ids?": array(of: string, count: 0...10_000).orNull, "group?": string.orNull, "exam_id?": examID.orNull,
            "type?": string.orNull, "correlation_id?": string.orNull,
            "all?": boolean.with("Needed when nothing else is named.").orNull,
        ])

    // MARK: People

    static let message = object(
        "Message",
        [
            "id": string, "kind": string, "exam_id?": examID, "subject": string, "detail": string, "time": time,
        ])

    static let auditRecord = object(
        "AuditRecord",
        [
            "id": string, "time": time, "action": string, "actor": string.orNull, "address": string.orNull,
            "source": string, "subject": string, "exam_id": examID.orNull, "correlation_id": string.orNull,
            "details": map(of: string),
        ])

    // MARK: The system

    static let systemStatus = object(
        "SystemStatus",
        [
            "services": array(
                of: object(
                    "ServiceStatus",
                    [
                        "name": string, "replica": string,
                        "state": choice(["starting", "ready", "stopping", "silent"]), "since": string,
                        "rss_bytes": integer, "health_port?": integer, "heartbeat_milliseconds": integer,
                    ])),
            "queues": array(of: queueStatistics),
            "websocket": object(
                "WebSocketStatistics",
                [
                    "connections": integer, "subscriptions": map(of: integer), "slow": integer, "max_behind": integer,
                    "opened": integer, "messages_out": integer, "bytes_out": integer, "messages_in": integer,
                    "deflate_connections": integer, "deflate_messages": integer, "deflate_bytes_before": integer,
                    "deflate_bytes_after": integer,
                    "left_out": integer, "recovered": integer, "not_recovered": integer, "closed": map(of: integer),
                    "refused": map(of: integer), "denied": integer, "withdrawn": integer,
                ]),
            "partitions": array(
                of: object(
                    "PartitionStatus",
                    [
                        "partition": integer, "length": integer, "dead_letters": integer, "memory_bytes": integer,
                        "bytes_per_event?": number,
                        "groups": array(
                            of: object([
                                "group": string, "owner": string.orNull, "lag": integer,
                                "oldest_pending_seconds": number.orNull, "lost": integer,
                            ])),
                    ])),
        ])
}
