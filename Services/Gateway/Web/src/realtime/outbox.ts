import { DEFAULT_RECONNECT_DELAYS, parseReconnectDelays } from "./backoff";
import { Alarm, Clock, systemClock } from "./clock";
import { Entry, Outcome, OutboxInput, OutboxMachine } from "./outboxMachine";

/** Thrown by `add`: the change was not taken. */
export class OutboxFull extends Error {}

export interface OutboxSettings<Change> {
    /** Sends a change with its `Idempotency-Key`. What it throws counts as "again". */
    send: (change: Change, key: string) => Promise<Outcome>;
    /** Is told of each change that was done or refused, in the order they were made. */
    onSettled?: (entry: Entry<Change>, outcome: Outcome & { type: "done" | "refused" }) => void;
    /** Is told what waits, whenever that has changed, to keep it over a reload of the page. */
    onChange?: (entries: readonly Entry<Change>[]) => void;
    /** What `onChange` was told last. */
    restored?: readonly Entry<Change>[];
    capacity?: number;
    reconnectDelays?: string;
    newKey?: () => string;
    clock?: Clock;
    random?: () => number;
}

/** Sends changes in their order, now or once the network is back; none is dropped without a word. */
export class Outbox<Change> {
    private readonly machine: OutboxMachine<Change>;
    private readonly clock: Clock;
    private readonly alarm: Alarm;

    constructor(private readonly settings: OutboxSettings<Change>) {
        this.clock = settings.clock ?? systemClock;
        this.alarm = new Alarm(this.clock, () => this.handle({ type: "tick" }));
        const options = {
            capacity: settings.capacity ?? 200,
            delays: parseReconnectDelays(settings.reconnectDelays ?? DEFAULT_RECONNECT_DELAYS),
            random: settings.random ?? Math.random,
        };
        this.machine = new OutboxMachine(options, settings.restored);
    }

    /** To be called at the start and whenever the browser says so; sends what waits. */
    setOnline(isOnline: boolean): void {
        this.handle({ type: "network", isOnline });
    }

    /**
     * @returns the key the change is sent with.
     * @throws OutboxFull when as many changes wait as may.
     */
    add(change: Change): string {
        const key = (this.settings.newKey ?? (() => crypto.randomUUID()))();
        this.handle({ type: "add", entry: { key, change } });
        return key;
    }

    get entries(): readonly Entry<Change>[] {
        return [...this.machine.entries];
    }

    private handle(input: OutboxInput<Change>): void {
        const before = this.machine.entries.length;
        const actions = this.machine.handle(input, this.clock.now());
        this.alarm.set(this.machine.deadline);
        if (this.machine.entries.length !== before) this.settings.onChange?.(this.entries);
        for (const action of actions) {
            switch (action.type) {
                case "send":
                    this.send(action.number, action.entry);
                    break;
                case "settled":
                    this.settings.onSettled?.(action.entry, action.outcome);
                    break;
                case "full":
                    throw new OutboxFull(`${this.machine.entries.length} changes wait already`);
            }
        }
    }

    private send(number: number, entry: Entry<Change>): void {
        const sent = (outcome: Outcome) => this.handle({ type: "sent", number, outcome });
        this.settings.send(entry.change, entry.key).then(sent, () => sent({ type: "again" }));
    }
}
