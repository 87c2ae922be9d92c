// Changes that wait for the network: sent one at a time in their order, each with a key that lets the server know a
// repeated one. Pure: it gets inputs and returns actions.
import { delayBefore } from "./backoff";

/** A change and the `Idempotency-Key` it is sent with, however often. */
export interface Entry<Change> {
    readonly key: string;
    readonly change: Change;
}

/** What came of sending a change. */
export type Outcome =
    | { type: "done" }
    /** The network or the server is away, or wants to be asked later, `after` milliseconds. */
    | { type: "again"; after?: number }
    /** The server will never take it. */
    | { type: "refused"; reason: string };

export type OutboxInput<Change> =
    | { type: "add"; entry: Entry<Change> }
    | { type: "network"; isOnline: boolean }
    /** Of the send action of this number. */
    | { type: "sent"; number: number; outcome: Outcome }
    | { type: "tick" };

export type OutboxAction<Change> =
    | { type: "send"; number: number; entry: Entry<Change> }
    /** There is no room: the change was not taken, and whoever made it must be told. */
    | { type: "full"; entry: Entry<Change> }
    | { type: "settled"; entry: Entry<Change>; outcome: Outcome & { type: "done" | "refused" } };

export interface OutboxOptions {
    /** Changes that may wait. */
    capacity: number;
    /** Milliseconds between attempts. */
    delays: readonly number[];
    random: () => number;
    /** Milliseconds after which sending counts as failed. */
    patience?: number;
}

export class OutboxMachine<Change> {
    private readonly waiting: Entry<Change>[];
    private isOnline = true;
    /** The send action under way. */
    private sending?: number;
    private lastNumber = 0;
    private attempt = 0;
    private until?: number;

    /** @param restored what waited when the page was left. */
    constructor(private readonly options: OutboxOptions, restored: readonly Entry<Change>[] = []) {
        this.waiting = [...restored];
    }

    /** @param now milliseconds. */
    handle(input: OutboxInput<Change>, now: number): OutboxAction<Change>[] {
        const actions: OutboxAction<Change>[] = [];
        switch (input.type) {
            case "add":
                if (this.waiting.length >= this.options.capacity) return [{ type: "full", entry: input.entry }];
                this.waiting.push(input.entry);
                break;
            case "network":
                this.isOnline = input.isOnline;
                // What waits for a later attempt need not wait when the network has come back.
                if (this.isOnline && this.sending === undefined) this.until = undefined;
                break;
            case "sent":
                // A late answer of an attempt that was given up: the same change is on its way again.
                if (input.number !== this.sending) return [];
                this.sending = undefined;
                actions.push(...this.settle(input.outcome, now));
                break;
            case "tick":
                if (this.until === undefined || now < this.until) return [];
                this.until = undefined;
                if (this.sending !== undefined) {
                    this.sending = undefined;
                    actions.push(...this.settle({ type: "again" }, now));
                }
                break;
        }
        return [...actions, ...this.sendNext(now)];
    }

    get deadline(): number | undefined {
        return this.isOnline || this.sending !== undefined ? this.until : undefined;
    }

    /** The oldest first; the first may be on its way. */
    get entries(): readonly Entry<Change>[] {
        return this.waiting;
    }

    private settle(outcome: Outcome, now: number): OutboxAction<Change>[] {
        this.until = undefined;
        if (outcome.type === "again") {
            const delay = delayBefore(this.attempt, this.options.delays, this.options.random);
            this.until = now + Math.max(delay, outcome.after ?? 0);
            this.attempt += 1;
            return [];
        }
        this.attempt = 0;
        const entry = this.waiting.shift();
        return entry === undefined ? [] : [{ type: "settled", entry, outcome }];
    }

    private sendNext(now: number): OutboxAction<Change>[] {
        const entry = this.waiting[0];
        if (!this.isOnline || this.sending !== undefined || this.until !== undefined || entry === undefined) return [];
        this.lastNumber += 1;
        this.sending = this.lastNumber;
        this.until = now + (this.options.patience ?? 60_000);
        return [{ type: "send", number: this.lastNumber, entry }];
    }
}
