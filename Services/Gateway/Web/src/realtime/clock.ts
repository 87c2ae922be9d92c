/** Time, as tests can replace it. */
export interface Clock {
    /** Milliseconds since 1970. */
    now(): number;
    /** Calls `body` once after so many milliseconds, unless the returned function is called before. */
    after(milliseconds: number, body: () => void): () => void;
}

/** Longer waits overflow a browser's timer; whoever is called too early waits again. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
    now: () => Date.now(),
    after(milliseconds, body) {
        const timer = setTimeout(body, Math.min(Math.max(0, milliseconds), LONGEST));
        return () => clearTimeout(timer);
    },
};

/** One timer that is set anew whenever the time it waits for changes. */
export class Alarm {
    private at: number | undefined;
    private cancel: () => void = () => {};

    constructor(private readonly clock: Clock, private readonly ring: () => void) {}

    set(at: number | undefined): void {
        if (at === this.at) return;
        this.cancel();
        this.cancel = () => {};
        this.at = at;
        if (at === undefined || at === Infinity) return;
        this.cancel = this.clock.after(at - this.clock.now(), () => {
            this.at = undefined;
            this.ring();
        });
    }
}
