// Checks of values that come from outside, and the types that follow from them: what is said once is both.

/** Tells whether a value is a `T`. */
export type Guard<T> = (value: unknown) => value is T;

/** What a guard lets through. */
export type Of<G> = G extends Guard<infer T> ? T : never;

type Shape = Record<string, Guard<unknown>>;
type OptionalNames<S extends Shape> = { [K in keyof S]: undefined extends Of<S[K]> ? K : never }[keyof S];

/** An object of a shape; fields that may be undefined may be absent. */
export type Fields<S extends Shape> = { [K in Exclude<keyof S, OptionalNames<S>>]: Of<S[K]> } & {
    [K in OptionalNames<S>]?: Of<S[K]>;
};

/** A guard of objects that shows what it asks for. */
export type ObjectGuard<S extends Shape> = Guard<Fields<S>> & { readonly shape: S };

export const text: Guard<string> = (value): value is string => typeof value === "string";
export const boolean: Guard<boolean> = (value): value is boolean => typeof value === "boolean";
export const number: Guard<number> = (value): value is number => typeof value === "number" && Number.isFinite(value);
export const integer: Guard<number> = (value): value is number => Number.isSafeInteger(value);

export function optional<T>(guard: Guard<T>): Guard<T | undefined> {
    return (value): value is T | undefined => value === undefined || guard(value);
}

export function list<T>(guard: Guard<T>): Guard<T[]> {
    return (value): value is T[] => Array.isArray(value) && value.every(guard);
}

export function record<T>(guard: Guard<T>): Guard<Record<string, T>> {
    return (value): value is Record<string, T> => isObject(value) && Object.values(value).every(guard);
}

export function oneOf<T extends string>(...words: readonly T[]): Guard<T> {
    return (value): value is T => (words as readonly unknown[]).includes(value);
}

/** Further fields do no harm: a newer server may know more. */
export function object<S extends Shape>(shape: S): ObjectGuard<S> {
    const guard = (value: unknown): value is Fields<S> =>
        isObject(value) && Object.entries(shape).every(([name, field]) => field(value[name]));
    return Object.assign(guard, { shape });
}

export function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
