import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { eventData, EventName, isEventName, isSystemEvent } from "../../Services/Gateway/Web/src/realtime/events";
import { isObject } from "../../Services/Gateway/Web/src/realtime/shapes";

const folder = process.env.EVENT_SAMPLES ?? "";

/** The newest sample of each type, `<type>.<version>.json`. */
const samples = new Map<string, Record<string, unknown>>();
const versions = new Map<string, number>();
for (const file of readdirSync(folder)) {
    const match = /^(.+)\.(\d+)\.json$/.exec(file);
    if (match === null) continue;
    const [, type = "", version = "0"] = match;
    if (Number(version) <= (versions.get(type) ?? 0)) continue;
    const value: unknown = JSON.parse(readFileSync(`${folder}/${file}`, "utf8"));
    assert(isObject(value));
    versions.set(type, Number(version));
    samples.set(type, value);
}

function event(type: string, data: unknown): Record<string, unknown> {
    return {
        specversion: "1.0",
        id: "019ac1",
        source: "/zhiyue/ocr-worker",
        subject: "e1.s1",
        time: "2026-11-22T08:15:30.125Z",
        dataschema: `urn:zhiyue:event:${type}:1`,
        datacontenttype: "application/json",
        correlationid: "c1",
        type,
        data,
    };
}

test("every event of the server has a type here, and no other has", () => {
    assert.deepEqual(Object.keys(eventData).sort(), [...samples.keys()].sort());
    assert(samples.size > 15);
});

test("the server's sample of each event is one here, with just the fields that are declared", () => {
    for (const [type, sample] of samples) {
        assert(isSystemEvent(event(type, sample)), type);
        const { shape } = eventData[type as EventName];
        assert.deepEqual(Object.keys(sample).sort(), Object.keys(shape).sort(), type);
    }
});

test("without a field that must be there, or with one of another type, a sample is no event", () => {
    const optional = ["student_id", "old_score", "mean", "standard_deviation"];
    // A review need not be one of a question.
    const optionalOfReviews = ["question", "new_score", "review_id", "status"];
    for (const [type, sample] of samples) {
        const mayBeAbsent = type === "grading.reviewed" ? [...optional, ...optionalOfReviews] : optional;
        for (const field of Object.keys(sample)) {
            const { [field]: removed, ...rest } = sample;
            assert(removed !== undefined);
            assert.equal(isSystemEvent(event(type, rest)), mayBeAbsent.includes(field), `${type} without ${field}`);
            // A value no field has.
            assert(!isSystemEvent(event(type, { ...sample, [field]: null })), `${type}, ${field}`);
        }
    }
});

test("what is no event is told apart", () => {
    const sample = samples.get("exam.deleted");
    for (const value of [null, 1, "x", [], {}, event("toString", {}), event("no.such", {}), event("exam.deleted", null)]) {
        assert(!isSystemEvent(value));
    }
    assert(isSystemEvent(event("exam.deleted", { ...sample, further: true })));
    const { id, ...anonymous } = event("exam.deleted", sample);
    assert(id !== undefined && !isSystemEvent(anonymous));
    assert(isEventName("ocr.failed") && !isEventName("__proto__") && !isEventName(7));
});
