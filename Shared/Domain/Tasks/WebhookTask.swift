/// Send one event to one webhook.
///
/// It names the event instead of holding it, so that what waits for a receiver that is away is small and holds nothing
/// about students.
package struct WebhookTask: TaskPayload {
    package static let type: TaskType = "webhook_delivery"
    package static let defaultPriority = TaskPriority.normal

    package var webhookID: String
    package var eventID: String
    /// Where the event is.
    package var partition: Int
    /// Its position in the partition, `1732291200125-0`.
    package var position: String

    package init(webhookID: String, eventID: String, partition: Int, position: String) {
        self.webhookID = webhookID
        self.eventID = eventID
        self.partition = partition
        self.position = position
    }

    enum CodingKeys: String, CodingKey {
        case webhookID = "webhook_id"
        case eventID = "event_id"
        case partition, position
    }

    package var taskID: TaskID { TaskID("webhook:\(webhookID):\(eventID)") }
}
