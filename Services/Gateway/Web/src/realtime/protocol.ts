// The messages of the WebSocket at /ws, subprotocol zhiyue.v1. The server's side is Services/Gateway/Realtime.
import { EventName } from "./events";
import { boolean, integer, isObject, number, object, Of, oneOf, optional, record, text } from "./shapes";

export const SUBPROTOCOL = "zhiyue.v1";

/** The subprotocols of a connection; the token travels as one because a browser sends no other header of ours. */
export function subprotocols(token: string): string[] {
    return [SUBPROTOCOL, `bearer.${token}`];
}

export type ConnectionType = "quality" | "progress" | "grading" | "system" | "general";

/** What a client wants to hear of. */
export interface Request {
    connection_type: ConnectionType;
    /** Absent for all exams, which not every role may have. */
    exam_ids?: string[];
    /** Absent for all of the connection type. */
    event_types?: EventName[];
}

export type ClientMessage =
    | { type: "auth"; token: string }
    | ({ type: "subscribe"; id: string; cursor?: string } & Request)
    | { type: "unsubscribe"; id: string }
    | { type: "ping" };

const shapes = {
    /** `heartbeat_interval` in seconds, `token_expires_at` in RFC 3339. Comes again when a newer token was sent. */
    welcome: object({
        type: oneOf("welcome"),
        connection_id: text,
        heartbeat_interval: number,
        token_expires_at: optional(text),
    }),
    /** `recovered` is false when something after the cursor that was sent is gone. */
    subscribed: object({ type: oneOf("subscribed"), id: text, cursor: text, recovered: boolean }),
    unsubscribed: object({ type: oneOf("unsubscribed"), id: text }),
    /** `event` is checked by whoever takes it: a newer server may have types that are not known here. */
    event: object({ type: oneOf("event"), id: text, cursor: text, event: object({ id: text, type: text }) }),
    /** Of each subscription: all up to the cursor was sent, in so many event messages since `subscribed`. */
    heartbeat: object({
        type: oneOf("heartbeat"),
        subscriptions: record(object({ cursor: text, events: integer })),
    }),
    error: object({ type: oneOf("error"), id: optional(text), code: text, message: text }),
    status: object({ type: oneOf("status"), status: oneOf("ok", "degraded") }),
    pong: object({ type: oneOf("pong") }),
};

export type ServerMessage = { [K in keyof typeof shapes]: Of<typeof shapes[K]> }[keyof typeof shapes];

/** The message of a text frame; "unknown" for a type that is not known here, "malformed" for what is none. */
export function parseServerMessage(frame: string): ServerMessage | "unknown" | "malformed" {
    let value: unknown;
    try {
        value = JSON.parse(frame);
    } catch {
        return "malformed";
    }
    if (!isObject(value) || typeof value.type !== "string") return "malformed";
    if (!Object.prototype.hasOwnProperty.call(shapes, value.type)) return "unknown";
    return shapes[value.type as keyof typeof shapes](value) ? (value as ServerMessage) : "malformed";
}

/** What is to be done after a connection was closed. */
export type AfterClose = "reconnect" | "renewToken" | "giveUp";

/**
 * 4401 and 4402 ask for another token, the other codes from 4400 to 4499 for another program or user; so do those of
 * RFC 6455 for what is no WebSocket message. All others (4500 to 4599, 1012 of a restart, 1006 of a broken line) mean:
 * come back.
 */
export function afterClose(code: number): AfterClose {
    if (code === 4401 || code === 4402) return "renewToken";
    if (code >= 4400 && code <= 4499) return "giveUp";
    return [1002, 1003, 1007, 1009, 1010].includes(code) ? "giveUp" : "reconnect";
}
