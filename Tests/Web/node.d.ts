// The little of Node.js that the tests use; Debian has no package of its types.
declare module "node:test" {
    export default function test(name: string, body: () => void | Promise<void>): void;
}

declare module "node:assert/strict" {
    const assert: {
        (value: unknown, message?: string): asserts value;
        equal(actual: unknown, expected: unknown, message?: string): void;
        deepEqual(actual: unknown, expected: unknown, message?: string): void;
        throws(body: () => unknown, error?: new (...parameters: never[]) => unknown): void;
    };
    export default assert;
}

declare module "node:fs" {
    export function readdirSync(folder: string): string[];
    export function readFileSync(path: string, encoding: "utf8"): string;
}

declare const process: { env: Record<string, string | undefined> };
