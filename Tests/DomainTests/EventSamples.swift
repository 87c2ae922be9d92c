import Testing

/// The data of one event as it is stored.
struct EventSample: Sendable, CustomTestStringConvertible {
    let type: String
    let subject: String
    /// Keys sorted, as this project writes JSON.
    let json: String
    /// Fields that may be absent.
    var optional: Set<String> = []

    var testDescription: String { type }
}

enum EventSamples {
    static let all: [EventSample] = exams + readings + marks + batches + others

    private static let exams = [
        EventSample(
            type: "exam.created", subject: "e1",
            json: #"{"exam_id":"e1","max_score":12.5,"owner":"li","questions":3,"title":"期中考试"}"#),
        EventSample(
            type: "exam.updated", subject: "e1",
            json: #"{"exam_id":"e1","key_changed":true,"key_version":2,"version":3}"#),
        EventSample(type: "exam.deleted", subject: "e1", json: #"{"exam_id":"e1","title":"Mid-term"}"#),
    ]

    private static let readings = [
        EventSample(
            type: "sheet.uploaded", subject: "e1.s1", json: #"{"blob":"ab12","file_page":2,"sheet_id":"e1.s1"}"#),
        EventSample(
            type: "ocr.started", subject: "e1.s1", json: #"{"attempt":1,"sheet_id":"e1.s1","worker":"host-7"}"#),
        EventSample(
            type: "ocr.completed", subject: "e1.s1",
            json:
                #"{"fields":4,"flagged":1,"milliseconds":52.5,"page":2,"reading_version":2,"sheet_id":"e1.s1","#
                + #""student_id":"20260001","uploaded_as":"e1.s2"}"#,
            optional: ["student_id"]),
        EventSample(
            type: "ocr.failed", subject: "e1.s1",
            json: #"{"code":"damaged_image","message":"cut short","sheet_id":"e1.s1"}"#),
    ]

    private static let marks = [
        EventSample(
            type: "grading.started", subject: "e1.s1",
            json: #"{"key_version":1,"reading_version":2,"sheet_id":"e1.s1","worker":"host-7"}"#),
        EventSample(
            type: "grading.completed", subject: "e1.s1",
            json:
                #"{"flags":["missing_pages"],"key_version":1,"marks":[{"by":"machine","flags":["faint"],"max":2,"#
                + #""question":1,"score":2},{"by":"machine","flags":["open"],"max":5,"question":2}],"#
                + #""max_score":7,"needs_review":true,"reading_version":2,"score":2,"sheet_id":"e1.s1","#
                + #""status":"recognized","student_id":"20260001"}"#,
            optional: ["student_id"]),
        EventSample(
            type: "grading.failed", subject: "e1.s1", json: #"{"message":"no key","sheet_id":"e1.s1"}"#),
        EventSample(
            type: "grading.reviewed", subject: "e1.s1",
            json: #"{"by":"wang","new_score":3.5,"old_score":2,"question":4,"sheet_id":"e1.s1"}"#,
            optional: ["old_score"]),
        EventSample(
            type: "review.requested", subject: "e1.s1",
            json: #"{"flags":["student_unclear","duplicate_page"],"questions":[1,4],"sheet_id":"e1.s1"}"#),
    ]

    private static let batches = [
        EventSample(
            type: "batch.started", subject: "remark:e1:k2",
            json: #"{"batch_id":"remark:e1:k2","kind":"remark","total":30}"#),
        EventSample(
            type: "batch.progress", subject: "remark:e1:k2",
            json: #"{"batch_id":"remark:e1:k2","done":10,"kind":"remark","total":30}"#),
        EventSample(
            type: "batch.completed", subject: "remark:e1:k2",
            json: #"{"batch_id":"remark:e1:k2","kind":"remark","total":30}"#),
        EventSample(
            type: "batch.failed", subject: "remark:e1:k2",
            json: #"{"batch_id":"remark:e1:k2","kind":"remark","message":"given up"}"#),
        EventSample(
            type: "report.ready", subject: "r1",
            json: #"{"blob":"ab12","bytes":120,"kind":"results_csv","report_id":"r1"}"#),
        EventSample(
            type: "report.failed", subject: "r1",
            json: #"{"kind":"results_csv","message":"no room","report_id":"r1"}"#),
    ]

    private static let others = [
        EventSample(
            type: "quality.updated", subject: "e1",
            json: #"{"count":30,"exam_id":"e1","mean":61.25,"needs_review":2,"standard_deviation":9.5}"#,
            optional: ["mean", "standard_deviation"]),
        EventSample(
            type: "notification.created", subject: "li",
            json:
                #"{"message":{"detail":"q4","exam_id":"e1","id":"m1","kind":"review_requested","subject":"e1.s1","#
                + #""time":"2026-11-22T08:15:30.125Z"},"user":"li"}"#),
        EventSample(
            type: "system.health_check", subject: "system",
            json: #"{"healthy":true,"services":{"gateway":1,"ocr-worker":2}}"#),
    ]
}
