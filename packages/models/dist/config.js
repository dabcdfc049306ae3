import { ModelError } from "./error.js";
/**
 * A checkpoint's config.json as an architecture reads it: typed, with one-line errors that name the field. It remembers
 * what was asked for, so that a field nobody looks at can be found.
 */
export class Config {
    raw;
    #path;
    #read;
    #limits;
    constructor(raw, path = "", read = new Set(), limits = new Map()) {
        if (typeof raw !== "object" || raw === null || Array.isArray(raw))
            throw new ModelError("config-invalid", `config.json: ${path || "the file"} is not an object`);
        this.raw = raw;
        this.#path = path;
        this.#read = read;
        this.#limits = limits;
    }
    /** Fields for which only some values are supported, with those values: what FEATURES.md lists. */
    get limits() {
        return this.#limits;
    }
    /** Dotted names of all fields that were asked for so far. */
    get fieldsRead() {
        return this.#read;
    }
    /** Whether one of the names is there and not null. */
    has(key) {
        return this.#find(key) !== undefined;
    }
    /** A whole number ≥ `min`; required unless `or` is given. */
    int(key, or, min = 0) {
        const value = this.#value(key, or);
        if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min)
            throw this.#wrong(key, value, `a whole number${min > 0 ? ` of at least ${min}` : ""}`);
        return value;
    }
    /** A size: a whole number of at least 1. */
    size(key, or) {
        return this.int(key, or, 1);
    }
    float(key, or) {
        const value = this.#value(key, or);
        if (typeof value !== "number" || !Number.isFinite(value))
            throw this.#wrong(key, value, "a number");
        return value;
    }
    bool(key, or) {
        const value = this.#value(key, or);
        if (typeof value !== "boolean")
            throw this.#wrong(key, value, "true or false");
        return value;
    }
    /** One of `choices`; anything else is refused as not supported. */
    choice(key, choices, or) {
        const value = this.#value(key, or);
        if (typeof value !== "string")
            throw this.#wrong(key, value, "a string");
        if (!choices.includes(value))
            throw new ModelError("config-unsupported", `config.json: ${this.#name(key)} is "${value}", which is not supported; supported: ${choices.join(", ")}`);
        return value;
    }
    /** An array of numbers, of `length` where that is given. */
    numbers(key, length) {
        const value = this.#value(key, undefined);
        const fits = Array.isArray(value) && value.every((item) => typeof item === "number" && Number.isFinite(item));
        if (!fits || (length !== undefined && value.length !== length))
            throw this.#wrong(key, value, `an array of ${length ?? ""} numbers`.replace("  ", " "));
        return value;
    }
    /** An array of strings, each one of `choices`. */
    strings(key, choices, length) {
        const value = this.#value(key, undefined);
        if (!Array.isArray(value) || value.length !== length || !value.every((item) => choices.includes(item)))
            throw this.#wrong(key, value, `an array of ${length} of: ${choices.join(", ")}`);
        return value;
    }
    /** A nested object, or undefined when it is absent or null. */
    child(key) {
        const name = this.#find(key);
        if (name === undefined)
            return undefined;
        return new Config(this.raw[name], this.#join(name), this.#read, this.#limits);
    }
    /** A field that changes the numbers and that only these values are implemented for; absent counts as the first. */
    only(key, ...values) {
        const name = this.#find(key);
        this.#limits.set(this.#name(key), values);
        if (name === undefined || values.includes(this.raw[name]))
            return;
        throw new ModelError("config-unsupported", `config.json: ${this.#join(name)} is ${JSON.stringify(this.raw[name])}, which is not supported; supported: ${values.map((value) => JSON.stringify(value)).join(", ")}`);
    }
    /** An error about a combination of fields. */
    unsupported(message) {
        return new ModelError("config-unsupported", `config.json: ${message}`);
    }
    #find(key) {
        const names = typeof key === "string" ? [key] : key;
        for (const name of names)
            this.#read.add(this.#join(name));
        return names.find((name) => this.raw[name] !== undefined && this.raw[name] !== null);
    }
    #value(key, or) {
        const name = this.#find(key);
        if (name !== undefined)
            return this.raw[name];
        if (or === undefined)
            throw new ModelError("config-missing", `config.json: field ${this.#name(key)} is missing`);
        return or;
    }
    #wrong(key, value, wanted) {
        const shown = JSON.stringify(value)?.slice(0, 60) ?? "nothing";
        return new ModelError("config-invalid", `config.json: ${this.#name(key)} is ${shown}, not ${wanted}`);
    }
    #name(key) {
        return this.#join(this.#find(key) ?? (typeof key === "string" ? key : key[0]));
    }
    #join(name) {
        return this.#path ? `${this.#path}.${name}` : name;
    }
}
//# sourceMappingURL=config.js.map