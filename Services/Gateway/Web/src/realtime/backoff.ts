// How long to wait before the next attempt.

/** `RECONNECT_DELAYS`, in seconds. */
export const DEFAULT_RECONNECT_DELAYS = "1,2,5,10,30";

/**
 * Milliseconds before the first attempt, the second …; the last for all that follow.
 *
 * @param list seconds with commas between, 1 to 50 numbers of 0.1 to 3600.
 * @throws RangeError that says what is wrong.
 */
export function parseReconnectDelays(list: string = DEFAULT_RECONNECT_DELAYS): number[] {
    const delays = list.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
    if (delays.length > 50 || !delays.every((delay) => delay >= 0.1 && delay <= 3600)) {
        throw new RangeError(`RECONNECT_DELAYS is "${list}"; expected are numbers of seconds, such as 1,2,5,10,30`);
    }
    return delays.map((delay) => delay * 1000);
}

/**
 * The delay before attempt `attempt` (0 for the first), a quarter more or less by chance, so that the clients of a
 * server that restarts do not all come back at once.
 *
 * @param random from 0 to below 1.
 */
export function delayBefore(attempt: number, delays: readonly number[], random: () => number): number {
    const delay = delays[Math.min(attempt, delays.length - 1)] ?? 1000;
    return Math.round(delay * (0.75 + random() / 2));
}
