import assert from "node:assert/strict";
import test from "node:test";
import { RealtimeClient } from "../../Services/Gateway/Web/src/realtime/client";
import { Request } from "../../Services/Gateway/Web/src/realtime/protocol";
import { FakeClock, FakeSocket, settle } from "./fakes";

/** A client whose network, clock and server are the test's. */
class Play {
    readonly clock = new FakeClock();
    readonly sockets: FakeSocket[] = [];
    readonly log: string[] = [];
    readonly asked: boolean[] = [];
    /** The next token; an error is thrown. */
    token: string | null | Error = "t1";
    readonly client = new RealtimeClient({
        url: "ws://host/ws",
        token: async (renew) => {
            this.asked.push(renew);
            if (this.token instanceof Error) throw this.token;
            return this.token;
        },
        clock: this.clock,
        random: () => 0.5,
        openSocket: (url, protocols) => {
            const socket = new FakeSocket(url, protocols);
            this.sockets.push(socket);
            return socket;
        },
        onState: (state) => this.log.push(state),
        onProblem: ({ id, code }) => this.log.push(`problem ${id ?? "-"} ${code}`),
    });

    get socket(): FakeSocket {
        const last = this.sockets[this.sockets.length - 1];
        assert(last, "no socket was opened");
        return last;
    }

    subscribe(request: Request = { connection_type: "progress", exam_ids: ["e1"] }, cursor?: string): string {
        const id: string = this.client.subscribe(
            request,
            {
                onEvent: (event) => this.log.push(`${event.type} ${event.id}`),
                onReload: () => this.log.push(`reload ${id}`),
            },
            cursor,
        );
        return id;
    }

    async start(): Promise<void> {
        this.client.start();
        await settle();
    }

    async advance(milliseconds: number): Promise<void> {
        this.clock.advance(milliseconds);
        await settle();
    }

    /** A connection with one subscription that is served. */
    async live(): Promise<string> {
        const id = this.subscribe();
        await this.start();
        this.socket.welcome();
        this.socket.say({ type: "subscribed", id, cursor: "k0", recovered: true });
        this.socket.take();
        this.log.splice(0);
        return id;
    }
}

function event(id: string, name: string, cursor: string): unknown {
    return {
        type: "event",
        id,
        cursor,
        event: {
            specversion: "1.0",
            id: name,
            source: "/zhiyue/ocr-worker",
            type: "ocr.failed",
            time: "2026-11-22T08:15:30.125Z",
            dataschema: "urn:zhiyue:event:ocr.failed:1",
            data: { sheet_id: "e1.s1", code: "blank_page", message: "" },
        },
    };
}

function heartbeat(id: string, cursor: string, events: number): unknown {
    return { type: "heartbeat", subscriptions: { [id]: { cursor, events } } };
}

test("a client connects with its token, subscribes and hands out what comes", async () => {
    const play = new Play();
    const id = play.subscribe();
    await play.start();
    assert.equal(play.socket.url, "ws://host/ws");
    assert.deepEqual(play.socket.protocols, ["zhiyue.v1", "bearer.t1"]);
    assert.deepEqual(play.socket.sent, []);
    play.socket.welcome();
    assert.deepEqual(play.socket.take(), [
        { type: "subscribe", id, connection_type: "progress", exam_ids: ["e1"] },
    ]);
    play.socket.say({ type: "subscribed", id, cursor: "k0", recovered: true }, event(id, "a", "k1"), event(id, "b", "k2"));
    assert.deepEqual(play.log, ["connecting", "live", "ocr.failed a", "ocr.failed b"]);
    assert.equal(play.client.cursor(id), "k2");
    const later = play.subscribe({ connection_type: "system" });
    assert.deepEqual(play.socket.take(), [{ type: "subscribe", id: later, connection_type: "system" }]);
    play.client.stop();
    assert.equal(play.socket.closed, 1000);
    assert.equal(play.client.state, "stopped");
});

test("after an interruption a subscription goes on at its cursor, and only what is lost for good asks for a reload", async () => {
    const play = new Play();
    const id = await play.live();
    play.socket.say(event(id, "a", "k1"), heartbeat(id, "k5", 1));
    play.socket.end(1006);
    assert.equal(play.client.state, "waiting");
    await play.advance(999);
    assert.equal(play.sockets.length, 1);
    await play.advance(1);
    assert.equal(play.sockets.length, 2);
    play.socket.welcome();
    assert.equal(play.socket.take()[0]?.cursor, "k5");
    play.socket.say({ type: "subscribed", id, cursor: "k5", recovered: true }, event(id, "b", "k6"));
    assert.deepEqual(play.log, ["ocr.failed a", "waiting", "connecting", "live", "ocr.failed b"]);

    play.socket.end(1012);
    await play.advance(60_000);
    play.socket.welcome();
    play.socket.say({ type: "subscribed", id, cursor: "k9", recovered: false });
    assert.equal(play.log[play.log.length - 1], `reload ${id}`);
});

test("delays grow while attempts fail, and start again once a connection has lasted a heartbeat", async () => {
    const play = new Play();
    const id = await play.live();
    for (const delay of [1000, 2000, 5000, 10_000, 30_000, 30_000]) {
        const before = play.sockets.length;
        play.socket.end(1006);
        await play.advance(delay - 1);
        assert.equal(play.sockets.length, before);
        await play.advance(1);
        assert.equal(play.sockets.length, before + 1);
    }
    // A server that takes the connection and drops it at once is no success.
    play.socket.welcome();
    play.socket.end(4502);
    await play.advance(29_999);
    play.socket.say(heartbeat(id, "k1", 0));
    await play.advance(1);
    play.socket.welcome();
    play.socket.say({ type: "subscribed", id, cursor: "k1", recovered: true }, heartbeat(id, "k2", 0));
    play.socket.end(1006);
    const before = play.sockets.length;
    await play.advance(1000);
    assert.equal(play.sockets.length, before + 1);
});

test("a heartbeat that counts more events than came shows a gap, and the client comes back with its own cursor", async () => {
    const play = new Play();
    const id = await play.live();
    play.socket.say(event(id, "a", "k1"), heartbeat(id, "k3", 2));
    assert.deepEqual(play.log, ["ocr.failed a", `problem ${id} gap`, "waiting"]);
    assert.equal(play.socket.closed, 4000);
    await play.advance(1000);
    play.socket.welcome();
    assert.equal(play.socket.take()[0]?.cursor, "k1");
});

test("a server that is silent for two and a half heartbeats is left, one that takes long to answer too", async () => {
    const play = new Play();
    const id = await play.live();
    await play.advance(37_000);
    play.socket.say(heartbeat(id, "k1", 0));
    await play.advance(37_499);
    assert.equal(play.socket.closed, undefined);
    await play.advance(1);
    assert.equal(play.socket.closed, 4000);
    await play.advance(1000);
    const slow = play.socket;
    await play.advance(20_000);
    assert.equal(slow.closed, 4000);
    // What it says at last concerns nobody.
    slow.welcome();
    slow.end(1000);
    assert.equal(play.client.state, "waiting");
});

test("a connection that cannot be made is tried again, whether its socket says that it failed or that it closed", async () => {
    const play = new Play();
    await play.start();
    play.socket.onerror?.();
    play.socket.end(1006);
    assert.equal(play.client.state, "waiting");
    await play.advance(1000);
    assert.equal(play.sockets.length, 2);
    play.socket.end(1006);
    await play.advance(1999);
    assert.equal(play.sockets.length, 2);
    await play.advance(1);
    assert.equal(play.sockets.length, 3);
});

test("a token the server does not take is renewed once; without another the user must sign in", async () => {
    const play = new Play();
    await play.live();
    play.token = "t2";
    play.socket.end(4402);
    await play.advance(1000);
    assert.deepEqual(play.asked, [false, true]);
    assert.deepEqual(play.socket.protocols, ["zhiyue.v1", "bearer.t2"]);
    play.socket.end(4401);
    await play.advance(2000);
    assert.deepEqual(play.log, ["waiting", "connecting", "waiting", "connecting", "refused", "problem - no_token"]);
    assert.equal(play.sockets.length, 2);
    play.token = "t3";
    await play.start();
    play.socket.welcome();
    assert.equal(play.client.state, "live");
    assert.equal(play.socket.take().length, 1);
});

test("a token is renewed on the same connection before it expires", async () => {
    const play = new Play();
    const id = play.subscribe();
    await play.start();
    play.socket.welcome({ token_expires_at: "2026-11-22T08:01:00.000Z" });
    play.socket.take();
    play.token = new Error("offline");
    await play.advance(30_000);
    assert.deepEqual(play.socket.take(), []);
    play.token = "t2";
    play.socket.say({ type: "pong" });
    await play.advance(10_000);
    assert.deepEqual(play.socket.take(), [{ type: "auth", token: "t2" }]);
    play.socket.say({ type: "welcome", connection_id: "c1", heartbeat_interval: 15, token_expires_at: "2026-11-22T09:00:00Z" });
    play.socket.say({ type: "subscribed", id, cursor: "k0", recovered: true });
    assert.deepEqual(play.socket.take(), []);
    assert.equal(play.sockets.length, 1);
    assert.deepEqual(play.asked, [false, true, true]);
});

test("a token that cannot be asked for now is asked for again", async () => {
    const play = new Play();
    play.token = new Error("offline");
    await play.start();
    assert.equal(play.client.state, "waiting");
    play.token = "t1";
    play.client.networkIsBack();
    await settle();
    assert.equal(play.sockets.length, 1);
});

test("a server that does not want the client is left alone until it is started again", async () => {
    for (const code of [4403, 4429, 4430, 1009]) {
        const play = new Play();
        await play.live();
        play.socket.end(code);
        await play.advance(3_600_000);
        play.client.networkIsBack();
        assert.deepEqual(play.log, ["refused", `problem - closed_${code}`]);
        assert.equal(play.sockets.length, 1);
    }
});

test("a subscription that is refused is not asked for again, one the server cannot judge is", async () => {
    const play = new Play();
    const first = play.subscribe();
    const second = play.subscribe({ connection_type: "system" });
    await play.start();
    play.socket.welcome();
    play.socket.take();
    play.socket.say({ type: "error", id: second, code: "forbidden", message: "No." });
    play.socket.say({ type: "error", id: first, code: "unavailable", message: "Try again." });
    await play.advance(2000);
    assert.deepEqual(play.socket.take().map((message) => message.id), [first]);
    assert.deepEqual(play.log, ["connecting", "live", `problem ${second} forbidden`]);
    play.socket.end(1006);
    await play.advance(1000);
    play.socket.welcome();
    assert.deepEqual(play.socket.take().map((message) => message.id), [first]);
});

test("the server's state is shown, and events of types to come are passed over without losing count", async () => {
    const play = new Play();
    const id = await play.live();
    play.socket.say(
        { type: "status", status: "degraded" },
        { type: "event", id, cursor: "k1", event: { id: "x", type: "moon.risen", data: {} } },
        { type: "news" },
        heartbeat(id, "k2", 1),
        { type: "status", status: "ok" },
        { type: "error", id, code: "permission_withdrawn", message: "The exam e1 was deleted." },
    );
    assert.deepEqual(play.log, ["degraded", "live", `problem ${id} permission_withdrawn`]);
    assert.equal(play.client.cursor(id), "k2");
});

test("what the server still sends of a subscription that was ended is not taken for another's", async () => {
    const play = new Play();
    const id = await play.live();
    play.client.unsubscribe(id);
    play.socket.say(event(id, "late", "k1"), heartbeat(id, "k1", 1));
    assert.deepEqual(play.socket.take(), [{ type: "unsubscribe", id }]);
    play.socket.say({ type: "unsubscribed", id });
    assert.deepEqual(play.log, []);
    assert.equal(play.socket.closed, undefined);
    await play.advance(37_500);
    assert.equal(play.client.state, "waiting");
    await play.advance(1000);
    play.socket.welcome();
    assert.deepEqual(play.socket.take(), []);
});

test("a page that was loaded again goes on where it was", async () => {
    const play = new Play();
    const id = play.subscribe(undefined, "k7");
    await play.start();
    play.socket.welcome();
    assert.equal(play.socket.take()[0]?.cursor, "k7");
    play.socket.say({ type: "subscribed", id, cursor: "k9", recovered: false });
    assert.deepEqual(play.log, ["connecting", "live", `reload ${id}`]);
});

test("a server that speaks another language is left", async () => {
    const play = new Play();
    await play.live();
    play.socket.onmessage?.({ data: "what?" });
    assert.deepEqual(play.log, ["problem - malformed", "waiting"]);
    assert.equal(play.socket.closed, 4000);
});
