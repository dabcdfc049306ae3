declare const MARKER: unique symbol;
/** What was wrong with a config; stable, so that callers can tell cases apart. */
export type ModelErrorCode = "config-missing" | "config-invalid" | "config-unsupported" | "unknown-architecture";
/** A config that no graph can be made of. The message is one line: what is wrong and what to do. */
export declare class ModelError extends Error {
    readonly code: ModelErrorCode;
    readonly [MARKER] = true;
    constructor(code: ModelErrorCode, message: string);
    /** Works across copies of this package. */
    static isInstance(error: unknown): error is ModelError;
}
export {};
//# sourceMappingURL=error.d.ts.map