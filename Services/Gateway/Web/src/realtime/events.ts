// Every event of the system, by its type. The server's are in Shared/Domain/Events; the samples both are tested with are
// in Tests/DomainTests/Samples.
import { boolean, integer, isObject, list, number, object, Of, oneOf, optional, record, text } from "./shapes";

const mark = object({
    question: integer,
    /** Absent while nobody has decided. */
    score: optional(number),
    max: number,
    by: text,
    flags: list(text),
});

const inboxMessage = object({
    id: text,
    kind: text,
    subject: text,
    exam_id: optional(text),
    detail: optional(text),
    time: text,
});

const batch = { batch_id: text, kind: text };

/** The data of each event. */
export const eventData = {
    "exam.created": object({ exam_id: text, title: text, owner: text, questions: integer, max_score: number }),
    "exam.updated": object({ exam_id: text, version: integer, key_version: integer, key_changed: boolean }),
    "exam.deleted": object({ exam_id: text, title: text }),
    "sheet.uploaded": object({ sheet_id: text, blob: text, file_page: integer }),
    "ocr.started": object({ sheet_id: text, attempt: integer, worker: text }),
    "ocr.completed": object({
        sheet_id: text,
        uploaded_as: text,
        reading_version: integer,
        student_id: optional(text),
        page: integer,
        fields: integer,
        flagged: integer,
        milliseconds: number,
    }),
    "ocr.failed": object({ sheet_id: text, code: text, message: text }),
    "grading.started": object({ sheet_id: text, reading_version: integer, key_version: integer, worker: text }),
    "grading.completed": object({
        sheet_id: text,
        student_id: optional(text),
        status: oneOf("uploaded", "recognized", "graded", "review", "failed"),
        score: number,
        max_score: number,
        marks: list(mark),
        flags: list(text),
        needs_review: boolean,
        reading_version: integer,
        key_version: integer,
    }),
    "grading.failed": object({ sheet_id: text, message: text }),
    "grading.reviewed": object({
        sheet_id: text,
        question: optional(integer),
        old_score: optional(number),
        new_score: optional(number),
        by: text,
        review_id: optional(text),
        status: optional(text),
    }),
    "review.requested": object({ sheet_id: text, questions: list(integer), flags: list(text) }),
    "batch.started": object({ ...batch, total: integer }),
    "batch.progress": object({ ...batch, done: integer, total: integer }),
    "batch.completed": object({ ...batch, total: integer }),
    "batch.failed": object({ ...batch, message: text }),
    "report.ready": object({ report_id: text, kind: text, blob: text, bytes: integer }),
    "report.failed": object({ report_id: text, kind: text, message: text }),
    "quality.updated": object({
        exam_id: text,
        count: integer,
        mean: optional(number),
        standard_deviation: optional(number),
        needs_review: integer,
    }),
    "notification.created": object({ user: text, message: inboxMessage }),
    "system.health_check": object({ healthy: boolean, services: record(integer) }),
};

export type EventName = keyof typeof eventData;
export type EventData<N extends EventName> = Of<typeof eventData[N]>;

/** The attributes of CloudEvents 1.0 and of this system, without type and data. */
const attributes = object({
    specversion: oneOf("1.0"),
    id: text,
    source: text,
    /** Of the sheet, batch, exam or report it is about. */
    subject: optional(text),
    /** RFC 3339. */
    time: text,
    dataschema: text,
    correlationid: optional(text),
    causationid: optional(text),
    examid: optional(text),
    actor: optional(text),
});

/** An event of one of the types `N`: `type` tells which `data` it has. */
export type SystemEvent<N extends EventName = EventName> = {
    [K in N]: Of<typeof attributes> & { type: K; data: EventData<K> };
}[N];

export function isEventName(value: unknown): value is EventName {
    return typeof value === "string" && Object.prototype.hasOwnProperty.call(eventData, value);
}

/** Tells whether a value is an event of a type known here, with the data of that type. */
export function isSystemEvent(value: unknown): value is SystemEvent {
    if (!isObject(value)) return false;
    const { type, data } = value;
    return isEventName(type) && attributes(value) && eventData[type](data);
}
