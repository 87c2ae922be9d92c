import { Socket } from "../../Services/Gateway/Web/src/realtime/client";
import { Clock } from "../../Services/Gateway/Web/src/realtime/clock";

/** A clock that goes on when it is told. */
export class FakeClock implements Clock {
    private time = Date.parse("2026-11-22T08:00:00Z");
    private timers: { at: number; body: () => void }[] = [];

    now(): number {
        return this.time;
    }

    after(milliseconds: number, body: () => void): () => void {
        const timer = { at: this.time + milliseconds, body };
        this.timers.push(timer);
        return () => {
            this.timers = this.timers.filter((other) => other !== timer);
        };
    }

    /** Goes on, and rings what is due on the way, each at its time. */
    advance(milliseconds: number): void {
        const end = this.time + milliseconds;
        for (;;) {
            const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
            if (due === undefined) break;
            this.timers = this.timers.filter((timer) => timer !== due);
            this.time = Math.max(this.time, due.at);
            due.body();
        }
        this.time = end;
    }
}

/** The server's end of a connection, played by a test. */
export class FakeSocket implements Socket {
    onopen: (() => void) | null = null;
    onmessage: ((message: { data: unknown }) => void) | null = null;
    onclose: ((end: { code: number }) => void) | null = null;
    onerror: (() => void) | null = null;
    /** What the client has sent and the test has not taken. */
    sent: Record<string, unknown>[] = [];
    closed?: number;

    constructor(readonly url: string, readonly protocols: string[]) {}

    send(text: string): void {
        this.sent.push(JSON.parse(text) as Record<string, unknown>);
    }

    close(code: number): void {
        this.closed = code;
    }

    /** What the client has sent since. */
    take(): Record<string, unknown>[] {
        return this.sent.splice(0);
    }

    say(...messages: unknown[]): void {
        for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
    }

    welcome(fields: Record<string, unknown> = {}): void {
        this.onopen?.();
        this.say({ type: "welcome", connection_id: "c1", heartbeat_interval: 15, ...fields });
    }

    end(code: number): void {
        this.onclose?.({ code });
    }
}

/** Lets what promises wait for happen. */
export async function settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
