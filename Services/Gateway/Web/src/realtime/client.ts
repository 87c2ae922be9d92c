import { DEFAULT_RECONNECT_DELAYS, parseReconnectDelays } from "./backoff";
import { Alarm, Clock, systemClock } from "./clock";
import { Action, ConnectionMachine, ConnectionState, Input } from "./connectionMachine";
import { SystemEvent } from "./events";
import { Request, subprotocols } from "./protocol";

/** The part of a WebSocket that is used here. */
export interface Socket {
    onopen: (() => void) | null;
    onmessage: ((message: { data: unknown }) => void) | null;
    onclose: ((end: { code: number }) => void) | null;
    onerror: (() => void) | null;
    send(text: string): void;
    close(code: number, reason: string): void;
}

export interface ClientOptions {
    /** `wss://host/ws` */
    url: string;
    /** A token; another one than before if `renew`. null when the user must sign in; throws when nobody can tell. */
    token: (renew: boolean) => Promise<string | null>;
    /** `RECONNECT_DELAYS`, in seconds. */
    reconnectDelays?: string;
    onState?: (state: ConnectionState) => void;
    onProblem?: (problem: { id?: string; code: string; message: string }) => void;
    openSocket?: (url: string, protocols: string[]) => Socket;
    clock?: Clock;
    random?: () => number;
}

/** What a subscription brings. */
export interface Listener {
    onEvent: (event: SystemEvent) => void;
    /** Something was missed that does not come any more: load again what is shown. */
    onReload: () => void;
}

/**
 * The connection to the system's events. It is kept up until `stop`, subscriptions included: after an interruption each
 * goes on where it was.
 */
export class RealtimeClient {
    private readonly machine: ConnectionMachine;
    private readonly clock: Clock;
    private readonly alarm: Alarm;
    private readonly listeners = new Map<string, Listener>();
    private socket: Socket | null = null;
    private lastID = 0;

    constructor(private readonly options: ClientOptions) {
        this.clock = options.clock ?? systemClock;
        this.alarm = new Alarm(this.clock, () => this.handle({ type: "tick" }));
        this.machine = new ConnectionMachine({
            delays: parseReconnectDelays(options.reconnectDelays ?? DEFAULT_RECONNECT_DELAYS),
            random: options.random ?? Math.random,
        });
    }

    get state(): ConnectionState {
        return this.machine.state;
    }

    start(): void {
        this.handle({ type: "start" });
    }

    stop(): void {
        this.handle({ type: "stop" });
    }

    /** To be called when the browser says so: does not wait for the next attempt. */
    networkIsBack(): void {
        this.handle({ type: "online" });
    }

    /**
     * @param cursor where to go on, of `cursor()` of a subscription to the same request; without it, what happens from
     *     now on comes.
     * @returns the subscription's identifier.
     */
    subscribe(request: Request, listener: Listener, cursor?: string): string {
        this.lastID += 1;
        const id = `s${this.lastID}`;
        this.listeners.set(id, listener);
        this.handle({ type: "subscribe", id, request, cursor });
        return id;
    }

    unsubscribe(id: string): void {
        this.listeners.delete(id);
        this.handle({ type: "unsubscribe", id });
    }

    cursor(id: string): string | undefined {
        return this.machine.cursor(id);
    }

    private handle(input: Input): void {
        for (const action of this.machine.handle(input, this.clock.now())) this.obey(action);
        this.alarm.set(this.machine.deadline);
    }

    private obey(action: Action): void {
        switch (action.type) {
            case "askToken":
                // The machine's deadline takes care of one that never comes.
                this.options.token(action.renew).then(
                    (token) => this.handle({ type: "token", token }),
                    () => this.handle({ type: "tokenFailed" }),
                );
                break;
            case "open":
                this.open(action.token);
                break;
            case "send":
                this.socket?.send(JSON.stringify(action.message));
                break;
            case "close":
                this.drop(action.code, action.reason);
                break;
            case "state":
                this.options.onState?.(action.state);
                break;
            case "event":
                this.listeners.get(action.id)?.onEvent(action.event);
                break;
            case "reload":
                this.listeners.get(action.id)?.onReload();
                break;
            case "problem":
                this.options.onProblem?.({ id: action.id, code: action.code, message: action.message });
                break;
        }
    }

    private open(token: string): void {
        const make = this.options.openSocket ?? ((url, protocols) => new WebSocket(url, protocols) as Socket);
        const socket = make(this.options.url, subprotocols(token));
        this.socket = socket;
        // What a socket says after it was given up concerns nobody.
        const whileOurs = (input: Input) => {
            if (this.socket === socket) this.handle(input);
        };
        socket.onopen = () => whileOurs({ type: "opened" });
        socket.onmessage = ({ data }) => whileOurs({ type: "frame", text: typeof data === "string" ? data : "" });
        const ended = (code: number) => {
            if (this.socket !== socket) return;
            this.socket = null;
            this.handle({ type: "closed", code });
        };
        socket.onclose = ({ code }) => ended(code);
        // No WebSocket lives on after an error, and not all of them say so by closing.
        socket.onerror = () => ended(1006);
    }

    private drop(code: number, reason: string): void {
        const socket = this.socket;
        this.socket = null;
        socket?.close(code, reason);
    }
}
