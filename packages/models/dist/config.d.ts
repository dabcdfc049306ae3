import { ModelError } from "./error.ts";
type Raw = Readonly<Record<string, unknown>>;
type Plain = string | number | boolean;
/** One name, or the names that different generations of a checkpoint's config use for one field. */
type Key = string | readonly string[];
/**
 * A checkpoint's config.json as an architecture reads it: typed, with one-line errors that name the field. It remembers
 * what was asked for, so that a field nobody looks at can be found.
 */
export declare class Config {
    #private;
    readonly raw: Raw;
    constructor(raw: unknown, path?: string, read?: Set<string>, limits?: Map<string, readonly Plain[]>);
    /** Fields for which only some values are supported, with those values: what FEATURES.md lists. */
    get limits(): ReadonlyMap<string, readonly Plain[]>;
    /** Dotted names of all fields that were asked for so far. */
    get fieldsRead(): ReadonlySet<string>;
    /** Whether one of the names is there and not null. */
    has(key: Key): boolean;
    /** A whole number ≥ `min`; required unless `or` is given. */
    int(key: Key, or?: number, min?: number): number;
    /** A size: a whole number of at least 1. */
    size(key: Key, or?: number): number;
    float(key: Key, or?: number): number;
    bool(key: Key, or?: boolean): boolean;
    /** One of `choices`; anything else is refused as not supported. */
    choice<T extends string>(key: Key, choices: readonly T[], or?: T): T;
    /** An array of numbers, of `length` where that is given. */
    numbers(key: Key, length?: number): number[];
    /** An array of strings, each one of `choices`. */
    strings<T extends string>(key: Key, choices: readonly T[], length: number): T[];
    /** A nested object, or undefined when it is absent or null. */
    child(key: Key): Config | undefined;
    /** A field that changes the numbers and that only these values are implemented for; absent counts as the first. */
    only(key: Key, ...values: readonly Plain[]): void;
    /** An error about a combination of fields. */
    unsupported(message: string): ModelError;
}
export {};
//# sourceMappingURL=config.d.ts.map