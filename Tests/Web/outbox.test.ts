import assert from "node:assert/strict";
import test from "node:test";
import { Outbox, OutboxFull } from "../../Services/Gateway/Web/src/realtime/outbox";
import { Entry, Outcome } from "../../Services/Gateway/Web/src/realtime/outboxMachine";
import { FakeClock, settle } from "./fakes";

/** An outbox whose server answers when the test says so. */
class Play {
    readonly clock = new FakeClock();
    readonly sent: { change: string; key: string; answer: (outcome: Outcome | Error) => void }[] = [];
    readonly log: string[] = [];
    kept: readonly Entry<string>[] = [];
    readonly outbox: Outbox<string>;

    constructor(restored: readonly Entry<string>[] = []) {
        let number = 0;
        this.outbox = new Outbox<string>({
            send: (change, key) =>
                new Promise((resolve, reject) => {
                    const answer = (outcome: Outcome | Error) =>
                        outcome instanceof Error ? reject(outcome) : resolve(outcome);
                    this.sent.push({ change, key, answer });
                }),
            onSettled: ({ change }, outcome) => this.log.push(`${change} ${outcome.type}`),
            onChange: (entries) => (this.kept = entries),
            restored,
            capacity: 3,
            newKey: () => `key-${(number += 1)}`,
            clock: this.clock,
            random: () => 0.5,
        });
    }

    async answer(outcome: Outcome | Error): Promise<void> {
        this.sent[this.sent.length - 1]?.answer(outcome);
        await settle();
    }

    get changes(): string[] {
        return this.sent.map(({ change, key }) => `${change} ${key}`);
    }
}

test("changes made while offline are sent in their order once the network is back, each with its own key", async () => {
    const play = new Play();
    play.outbox.setOnline(false);
    for (const change of ["a", "b", "c"]) play.outbox.add(change);
    assert.deepEqual(play.changes, []);
    assert.deepEqual(play.kept.map((entry) => entry.change), ["a", "b", "c"]);
    play.outbox.setOnline(true);
    assert.deepEqual(play.changes, ["a key-1"]);
    await play.answer({ type: "done" });
    await play.answer({ type: "refused", reason: "the exam is gone" });
    await play.answer({ type: "done" });
    assert.deepEqual(play.changes, ["a key-1", "b key-2", "c key-3"]);
    assert.deepEqual(play.log, ["a done", "b refused", "c done"]);
    assert.deepEqual(play.kept, []);
});

test("a change that fails for now is sent again with the same key, later and before all that follow", async () => {
    const play = new Play();
    play.outbox.add("a");
    play.outbox.add("b");
    await play.answer(new Error("no network"));
    play.clock.advance(999);
    assert.equal(play.sent.length, 1);
    play.clock.advance(1);
    await play.answer({ type: "again", after: 10_000 });
    play.clock.advance(9_999);
    assert.equal(play.sent.length, 2);
    play.clock.advance(1);
    await play.answer({ type: "done" });
    assert.deepEqual(play.changes, ["a key-1", "a key-1", "a key-1", "b key-2"]);
    assert.deepEqual(play.log, ["a done"]);
});

test("a full outbox says so and keeps what it has", async () => {
    const play = new Play();
    play.outbox.setOnline(false);
    for (const change of ["a", "b", "c"]) play.outbox.add(change);
    assert.throws(() => play.outbox.add("d"), OutboxFull);
    assert.deepEqual(play.outbox.entries.map((entry) => entry.change), ["a", "b", "c"]);
    play.outbox.setOnline(true);
    await play.answer({ type: "done" });
    play.outbox.add("d");
    assert.deepEqual(play.outbox.entries.map((entry) => entry.change), ["b", "c", "d"]);
});

test("an answer that does not come is given up, and its late coming settles nothing twice", async () => {
    const play = new Play();
    play.outbox.add("a");
    play.clock.advance(60_000);
    play.clock.advance(1_000);
    assert.deepEqual(play.changes, ["a key-1", "a key-1"]);
    play.sent[0]?.answer({ type: "done" });
    await settle();
    assert.deepEqual(play.log, []);
    await play.answer({ type: "done" });
    assert.deepEqual(play.log, ["a done"]);
    assert.deepEqual(play.outbox.entries, []);
});

test("what waited when the page was left is sent by the next one, with the keys it had", async () => {
    const before = new Play();
    before.outbox.setOnline(false);
    before.outbox.add("a");
    before.outbox.add("b");
    const play = new Play(before.kept);
    assert.deepEqual(play.changes, []);
    play.outbox.setOnline(true);
    await play.answer({ type: "done" });
    assert.deepEqual(play.changes, ["a key-1", "b key-2"]);
});

test("nothing new is sent while offline, and the network's return ends a wait", async () => {
    const play = new Play();
    play.outbox.add("a");
    play.outbox.setOnline(false);
    await play.answer({ type: "again", after: 3_600_000 });
    play.clock.advance(7_200_000);
    assert.equal(play.sent.length, 1);
    play.outbox.setOnline(true);
    assert.equal(play.sent.length, 2);
    await play.answer({ type: "again", after: 3_600_000 });
    play.outbox.setOnline(true);
    assert.equal(play.sent.length, 3);
});
