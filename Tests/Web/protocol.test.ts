import assert from "node:assert/strict";
import test from "node:test";
import { delayBefore, parseReconnectDelays } from "../../Services/Gateway/Web/src/realtime/backoff";
import { afterClose, parseServerMessage, subprotocols } from "../../Services/Gateway/Web/src/realtime/protocol";

test("every message of the server is read as it writes it", () => {
    const frames = [
        '{"type":"welcome","connection_id":"c1","heartbeat_interval":15.0,"token_expires_at":"2026-11-22T08:15:30.125Z"}',
        '{"type":"subscribed","id":"s1","cursor":"0:1-0","recovered":true}',
        '{"type":"unsubscribed","id":"s1"}',
        '{"type":"event","id":"s1","cursor":"0:1-0","event":{"id":"e","type":"exam.deleted"}}',
        '{"type":"heartbeat","subscriptions":{"s1":{"cursor":"0:1-0","events":3}}}',
        '{"type":"error","code":"malformed","message":"A message is a JSON object."}',
        '{"type":"error","id":"s1","code":"forbidden","message":"No."}',
        '{"type":"status","status":"degraded"}',
        '{"type":"pong"}',
    ];
    for (const frame of frames) assert.deepEqual(parseServerMessage(frame), JSON.parse(frame));
});

test("what is no message is told apart from what is not known here", () => {
    for (const frame of ["", "{", "null", "[]", "7", '{"type":1}', '{"type":"subscribed","id":"s1"}']) {
        assert.equal(parseServerMessage(frame), "malformed", frame);
    }
    for (const frame of ['{"type":"news"}', '{"type":"constructor"}']) {
        assert.equal(parseServerMessage(frame), "unknown", frame);
    }
});

test("a close code says whether to come back", () => {
    for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 1013, 4500, 4501, 4502]) {
        assert.equal(afterClose(code), "reconnect", `${code}`);
    }
    for (const code of [4401, 4402]) assert.equal(afterClose(code), "renewToken", `${code}`);
    for (const code of [1002, 1003, 1007, 1009, 4403, 4408, 4429, 4430]) assert.equal(afterClose(code), "giveUp", `${code}`);
});

test("the token is the second subprotocol", () => {
    assert.deepEqual(subprotocols("a.b.c"), ["zhiyue.v1", "bearer.a.b.c"]);
});

test("delays are read from seconds, grow as listed and vary by a quarter", () => {
    const delays = parseReconnectDelays("1,2, 5,10,30");
    assert.deepEqual(delays, [1000, 2000, 5000, 10000, 30000]);
    assert.deepEqual(parseReconnectDelays(), delays);
    const half = [0, 1, 2, 3, 4, 5, 99].map((attempt) => delayBefore(attempt, delays, () => 0.5));
    assert.deepEqual(half, [1000, 2000, 5000, 10000, 30000, 30000, 30000]);
    assert.equal(delayBefore(0, delays, () => 0), 750);
    assert.equal(delayBefore(0, delays, () => 0.9999), 1250);
    for (const list of ["", "1,,2", "x", "0", "-1", "4000", Array(51).fill("1").join(",")]) {
        assert.throws(() => parseReconnectDelays(list), RangeError);
    }
});
