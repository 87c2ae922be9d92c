// What a connection does next, without doing it: a state machine that gets inputs and returns actions. It keeps no clock
// and no socket; whoever drives it obeys the actions and comes back at `deadline`.
import { delayBefore } from "./backoff";
import { isSystemEvent, SystemEvent } from "./events";
import { afterClose, ClientMessage, parseServerMessage, Request, ServerMessage } from "./protocol";

export type Input =
    | { type: "start" }
    | { type: "stop" }
    /** The token that was asked for; null when there is none to be had. */
    | { type: "token"; token: string | null }
    /** It could not be asked for. */
    | { type: "tokenFailed" }
    | { type: "opened" }
    | { type: "frame"; text: string }
    | { type: "closed"; code: number }
    | { type: "subscribe"; id: string; request: Request; cursor?: string }
    | { type: "unsubscribe"; id: string }
    /** The machine has its network back. */
    | { type: "online" }
    /** `deadline` is over. */
    | { type: "tick" };

export type Action =
    /** Ask for a token; a new one, when the server did not take the last or it is about to expire. */
    | { type: "askToken"; renew: boolean }
    | { type: "open"; token: string }
    | { type: "send"; message: ClientMessage }
    | { type: "close"; code: number; reason: string }
    | { type: "state"; state: ConnectionState }
    | { type: "event"; id: string; event: SystemEvent }
    /** Something was missed that does not come any more: what is shown must be loaded again. */
    | { type: "reload"; id: string }
    /** `id` is absent for what concerns the whole connection. */
    | { type: "problem"; id?: string; code: string; message: string };

/**
 * - `connecting`: on the way for the first time, or again.
 * - `waiting`: for the next attempt.
 * - `live`: what happens is told at once.
 * - `degraded`: connected, but the server cannot tell anything new just now.
 * - `refused`: the server does not want this client; only `start` tries again.
 */
export type ConnectionState = "stopped" | "connecting" | "waiting" | "live" | "degraded" | "refused";

export interface MachineOptions {
    /** Milliseconds, of `parseReconnectDelays`. */
    delays: readonly number[];
    /** From 0 to below 1. */
    random: () => number;
    /** Milliseconds from asking for a token to the server's welcome. */
    patience?: number;
}

interface Subscription {
    request: Request;
    /** All up to here was given out. */
    cursor?: string;
    /** Event messages since `subscribed`. */
    received: number;
    phase: "wanted" | "asked" | "active" | "refused";
    /** When to ask once more, of one the server could not judge. */
    retryAt?: number;
}

/** Without a sign of the server for so many heartbeats, the line is taken for dead. */
const SILENT_HEARTBEATS = 2.5;
/** A new token is sent so many milliseconds before the old one expires. */
const RENEWAL_LEAD = 30_000;
const RETRY_RENEWAL = 10_000;
const RETRY_SUBSCRIPTION = 2_000;

export class ConnectionMachine {
    private phase: "stopped" | "token" | "opening" | "greeting" | "open" | "waiting" | "refused" = "stopped";
    private shown: ConnectionState = "stopped";
    private readonly subscriptions = new Map<string, Subscription>();
    /** Ends that the server has not confirmed: until then, what comes is the former subscription's of that id. */
    private readonly ending = new Map<string, number>();
    private attempt = 0;
    /** The server did not take the last token. */
    private renew = false;
    private lastToken: string | null = null;
    private heartbeat = 15_000;
    private silentSince = 0;
    private renewAt?: number;
    private isRenewing = false;
    private stepUntil = 0;
    private readonly actions: Action[] = [];

    constructor(private readonly options: MachineOptions) {}

    /** @param now milliseconds since 1970. */
    handle(input: Input, now: number): Action[] {
        switch (input.type) {
            case "start":
                if (this.phase === "stopped" || this.phase === "refused") this.begin(now, 0);
                break;
            case "stop":
                this.stop();
                break;
            case "token":
                this.tokenCame(input.token, now);
                break;
            case "tokenFailed":
                this.tokenFailed(now);
                break;
            case "opened":
                if (this.phase === "opening") this.phase = "greeting";
                break;
            case "frame":
                if (this.phase === "greeting" || this.phase === "open") this.frameCame(input.text, now);
                break;
            case "closed":
                this.closed(input.code, now);
                break;
            case "subscribe":
                this.subscribe(input.id, input.request, input.cursor);
                break;
            case "unsubscribe":
                this.unsubscribe(input.id);
                break;
            case "online":
                if (this.phase === "waiting") this.begin(now, 0);
                break;
            case "tick":
                this.tick(now);
                break;
        }
        return this.actions.splice(0);
    }

    /** When `tick` is due, by the same clock; undefined when there is nothing to wait for. */
    get deadline(): number | undefined {
        switch (this.phase) {
            case "stopped":
            case "refused":
                return undefined;
            case "token":
            case "opening":
            case "greeting":
            case "waiting":
                return this.stepUntil;
            case "open": {
                const retries = [...this.subscriptions.values()].map((subscription) => subscription.retryAt);
                const times = [this.silentUntil, this.isRenewing ? undefined : this.renewAt, ...retries];
                return Math.min(...times.map((time) => time ?? Infinity));
            }
        }
    }

    get state(): ConnectionState {
        return this.shown;
    }

    /** The cursor of a subscription, to be kept over a reload of the page. */
    cursor(id: string): string | undefined {
        return this.subscriptions.get(id)?.cursor;
    }

    // Connecting

    private begin(now: number, attempt: number): void {
        this.attempt = attempt;
        this.phase = "token";
        this.stepUntil = now + this.patience;
        this.show("connecting");
        this.actions.push({ type: "askToken", renew: this.renew });
    }

    private stop(): void {
        const hadSocket = this.hasSocket;
        this.leave("stopped");
        if (hadSocket) this.actions.push({ type: "close", code: 1000, reason: "" });
        this.show("stopped");
    }

    private tokenCame(token: string | null, now: number): void {
        if (this.phase === "open" && this.isRenewing) {
            this.isRenewing = false;
            this.renewAt = undefined;
            if (token !== null && token !== this.lastToken) this.authenticate(token);
            return;
        }
        if (this.phase !== "token") return;
        if (token === null || (this.renew && token === this.lastToken)) {
            this.refuse("no_token", "There is no valid token: sign in again.");
            return;
        }
        this.lastToken = token;
        this.phase = "opening";
        this.stepUntil = now + this.patience;
        this.actions.push({ type: "open", token });
    }

    private tokenFailed(now: number): void {
        if (this.phase === "token") return this.wait(now);
        if (!this.isRenewing) return;
        this.isRenewing = false;
        this.renewAt = now + RETRY_RENEWAL;
    }

    private authenticate(token: string): void {
        this.lastToken = token;
        this.actions.push({ type: "send", message: { type: "auth", token } });
    }

    private closed(code: number, now: number): void {
        if (!this.hasSocket) return;
        const next = afterClose(code);
        if (next === "giveUp") return this.refuse(`closed_${code}`, `The server closed the connection (${code}).`);
        this.renew = next === "renewToken";
        this.wait(now);
    }

    /** Without a socket, until the next attempt is due. */
    private wait(now: number): void {
        this.leave("waiting");
        this.stepUntil = now + delayBefore(this.attempt, this.options.delays, this.options.random);
        this.attempt += 1;
        this.show("waiting");
    }

    private refuse(code: string, message: string): void {
        this.leave("refused");
        this.show("refused");
        this.actions.push({ type: "problem", code, message });
    }

    private leave(phase: "stopped" | "waiting" | "refused"): void {
        this.phase = phase;
        this.isRenewing = false;
        this.renewAt = undefined;
        this.ending.clear();
        for (const subscription of this.subscriptions.values()) {
            subscription.retryAt = undefined;
            if (subscription.phase !== "refused" || phase !== "waiting") subscription.phase = "wanted";
        }
    }

    private tick(now: number): void {
        const deadline = this.deadline;
        if (deadline === undefined || now < deadline) return;
        if (this.phase === "waiting") {
            this.begin(now, this.attempt);
        } else if (this.phase !== "open") {
            this.abandon("the server does not answer", now);
        } else if (now >= this.silentUntil) {
            this.abandon("the server is silent", now);
        } else {
            if (this.renewAt !== undefined && !this.isRenewing && now >= this.renewAt) {
                this.isRenewing = true;
                this.actions.push({ type: "askToken", renew: true });
            }
            for (const [id, subscription] of this.subscriptions) {
                if (subscription.retryAt !== undefined && now >= subscription.retryAt) this.ask(id, subscription);
            }
        }
    }

    /** Gives the socket up without waiting for its end, which may never be told. */
    private abandon(reason: string, now: number): void {
        if (this.hasSocket) this.actions.push({ type: "close", code: 4000, reason });
        this.wait(now);
    }

    // Messages

    private frameCame(frame: string, now: number): void {
        this.silentSince = now;
        const message = parseServerMessage(frame);
        if (message === "unknown") return;
        if (message === "malformed") {
            this.actions.push({ type: "problem", code: "malformed", message: "The server sent what is no message." });
            return this.abandon("malformed message", now);
        }
        if (message.type === "welcome") return this.welcome(message, now);
        if (this.phase === "open" && !this.isOfFormer(message)) this.messageCame(message, now);
    }

    private isOfFormer(message: ServerMessage): boolean {
        if (!("id" in message) || message.id === undefined) return false;
        const left = this.ending.get(message.id) ?? 0;
        if (left === 0) return false;
        if (message.type === "unsubscribed" || (message.type === "error" && message.code === "unknown_id")) {
            this.ending.set(message.id, left - 1);
        }
        return true;
    }

    private welcome(message: ServerMessage & { type: "welcome" }, now: number): void {
        this.heartbeat = Math.max(1, message.heartbeat_interval) * 1000;
        this.renew = false;
        const expires = message.token_expires_at === undefined ? NaN : Date.parse(message.token_expires_at);
        // The clocks differ; a token that seems to have expired already is renewed when the server says so.
        const lead = expires - RENEWAL_LEAD;
        this.renewAt = lead > now ? lead : undefined;
        if (this.phase === "open") return;
        this.phase = "open";
        this.show("live");
        for (const [id, subscription] of this.subscriptions) {
            if (subscription.phase === "wanted") this.ask(id, subscription);
        }
    }

    private messageCame(message: ServerMessage, now: number): void {
        switch (message.type) {
            case "subscribed":
                return this.subscribed(message);
            case "event":
                return this.eventCame(message);
            case "heartbeat":
                return this.heartbeatCame(message, now);
            case "error":
                return this.errorCame(message, now);
            case "status":
                return this.show(message.status === "ok" ? "live" : "degraded");
        }
    }

    private subscribed(message: ServerMessage & { type: "subscribed" }): void {
        const subscription = this.subscriptions.get(message.id);
        if (subscription?.phase !== "asked") return;
        subscription.phase = "active";
        subscription.received = 0;
        subscription.cursor = message.cursor;
        if (!message.recovered) this.actions.push({ type: "reload", id: message.id });
    }

    private eventCame(message: ServerMessage & { type: "event" }): void {
        const subscription = this.subscriptions.get(message.id);
        if (subscription?.phase !== "active") return;
        subscription.received += 1;
        subscription.cursor = message.cursor;
        // Of types to come nothing is known here, and whoever shows what is known misses nothing.
        if (isSystemEvent(message.event)) {
            this.actions.push({ type: "event", id: message.id, event: message.event });
        }
    }

    private heartbeatCame(message: ServerMessage & { type: "heartbeat" }, now: number): void {
        // The connection lasts: the next one that breaks is the first again.
        this.attempt = 0;
        for (const [id, place] of Object.entries(message.subscriptions)) {
            const subscription = this.subscriptions.get(id);
            if (subscription?.phase !== "active" || (this.ending.get(id) ?? 0) > 0) continue;
            if (place.events !== subscription.received) {
                this.actions.push({
                    type: "problem",
                    id,
                    code: "gap",
                    message: `${place.events} events were sent and ${subscription.received} came.`,
                });
                return this.abandon("events are missing", now);
            }
            subscription.cursor = place.cursor;
        }
    }

    private errorCame(message: ServerMessage & { type: "error" }, now: number): void {
        const subscription = message.id === undefined ? undefined : this.subscriptions.get(message.id);
        if (subscription?.phase === "asked") {
            if (message.code === "unavailable") {
                subscription.retryAt = now + RETRY_SUBSCRIPTION;
                return;
            }
            subscription.phase = "refused";
        }
        this.actions.push({ type: "problem", id: message.id, code: message.code, message: message.message });
    }

    // Subscriptions

    private subscribe(id: string, request: Request, cursor?: string): void {
        const former = this.subscriptions.get(id);
        if (former !== undefined) this.unsubscribe(id);
        const subscription: Subscription = { request, cursor, received: 0, phase: "wanted" };
        this.subscriptions.set(id, subscription);
        if (this.phase === "open") this.ask(id, subscription);
    }

    private unsubscribe(id: string): void {
        const subscription = this.subscriptions.get(id);
        this.subscriptions.delete(id);
        if (this.phase !== "open" || subscription === undefined) return;
        if (subscription.phase === "active" || (subscription.phase === "asked" && subscription.retryAt === undefined)) {
            this.ending.set(id, (this.ending.get(id) ?? 0) + 1);
            this.actions.push({ type: "send", message: { type: "unsubscribe", id } });
        }
    }

    private ask(id: string, subscription: Subscription): void {
        subscription.phase = "asked";
        subscription.retryAt = undefined;
        const place = subscription.cursor === undefined ? {} : { cursor: subscription.cursor };
        this.actions.push({ type: "send", message: { type: "subscribe", id, ...subscription.request, ...place } });
    }

    // Small things

    private get hasSocket(): boolean {
        return this.phase === "opening" || this.phase === "greeting" || this.phase === "open";
    }

    private get patience(): number {
        return this.options.patience ?? 20_000;
    }

    private get silentUntil(): number {
        return this.silentSince + this.heartbeat * SILENT_HEARTBEATS;
    }

    private show(state: ConnectionState): void {
        if (state === this.shown) return;
        this.shown = state;
        this.actions.push({ type: "state", state });
    }
}
