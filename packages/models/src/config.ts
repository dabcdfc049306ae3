import { ModelError } from "./error.ts";

type Raw = Readonly<Record<string, unknown>>;

type Plain = string | number | boolean | null;

/** Past these a config is a mistake or an attack: work and memory grow with each. No published model is within a tenth. */
const MAX_COUNT = 4096; // layers, experts
const MAX_SIZE = 2 ** 26; // widths, vocabularies, contexts

/** What a config is held to, gathered while it is read. */
interface Limits {
  readonly values: Map<string, readonly Plain[]>;
  readonly rules: Set<string>;
}

/** One name, or the names that different generations of a checkpoint's config use for one field. */
type Key = string | readonly string[];

/**
 * A checkpoint's config.json as an architecture reads it: typed, with one-line errors that name the field. It remembers
 * what was asked for, so that a field nobody looks at can be found.
 */
export class Config {
  readonly raw: Raw;
  readonly #path: string;
  readonly #read: Set<string>;
  readonly #limits: Limits;

  constructor(
    raw: unknown,
    path = "",
    read: Set<string> = new Set(),
    limits: Limits = { values: new Map(), rules: new Set() },
  ) {
    if (typeof raw !== "object" || raw === null || Array.isArray(raw))
      throw new ModelError("config-invalid", `config.json: ${path || "the file"} is not an object`);
    this.raw = raw as Raw;
    this.#path = path;
    this.#read = read;
    this.#limits = limits;
  }

  /** Fields for which only some values are supported, with those values: what FEATURES.md lists. */
  get limits(): ReadonlyMap<string, readonly Plain[]> {
    return this.#limits.values;
  }

  /** What fields must be together, in words. */
  get rules(): ReadonlySet<string> {
    return this.#limits.rules;
  }

  /** Dotted names of all fields that were asked for so far. */
  get fieldsRead(): ReadonlySet<string> {
    return this.#read;
  }

  /** Whether one of the names is there and not null. */
  has(key: Key): boolean {
    return this.#find(key) !== undefined;
  }

  /** Whether one of the names is there, be it null: a null says that there is none, where nothing said leaves it to the class. */
  given(key: Key): boolean {
    return [key].flat().some((name) => this.raw[name] !== undefined);
  }

  /** A whole number from `min` to `max`; required unless `or` is given. */
  int(key: Key, or?: number, min = 0, max = MAX_SIZE): number {
    const value = this.#value(key, or);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min)
      throw this.#wrong(key, value, `a whole number${min > 0 ? ` of at least ${min}` : ""}`);
    if (value > max) throw this.#wrong(key, value, `a whole number of at most ${max}`);
    return value;
  }

  /** How many layers or experts: at least 1, and so many that each can be described. */
  count(key: Key, or?: number): number {
    return this.int(key, or, 1, MAX_COUNT);
  }

  /** A size: a whole number of at least 1. */
  size(key: Key, or?: number): number {
    return this.int(key, or, 1);
  }

  /** A size; none where it is null, and the published class's own where it isn't there at all. */
  sizeOrNone(key: Key, or: number): number | undefined {
    return this.has(key) || !this.given(key) ? this.size(key, or) : undefined;
  }

  /** The same of any number above 0. */
  positiveOrNone(key: Key, or: number): number | undefined {
    return this.has(key) || !this.given(key) ? this.positive(key, or) : undefined;
  }

  float(key: Key, or?: number): number {
    const value = this.#value(key, or);
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.#wrong(key, value, "a number");
    return value;
  }

  /** A number above 0. */
  positive(key: Key, or?: number): number {
    const value = this.float(key, or);
    if (value <= 0) throw this.#wrong(key, value, "a number above 0");
    return value;
  }

  bool(key: Key, or?: boolean): boolean {
    const value = this.#value(key, or);
    if (typeof value !== "boolean") throw this.#wrong(key, value, "true or false");
    return value;
  }

  /** One of `choices`; anything else is refused as not supported. */
  choice<T extends string>(key: Key, choices: readonly T[], or?: T): T {
    this.limit(key, choices);
    const value = this.#value(key, or);
    if (typeof value !== "string") throw this.#wrong(key, value, "a string");
    if (!choices.includes(value as T))
      throw new ModelError(
        "config-unsupported",
        `config.json: ${this.#name(key)} is "${value}", which is not supported; supported: ${choices.join(", ")}`,
      );
    return value as T;
  }

  /** An array of numbers, of `length` where that is given. */
  numbers(key: Key, length?: number): number[] {
    const value = this.#value(key, undefined);
    const fits = Array.isArray(value) && value.every((item) => typeof item === "number" && Number.isFinite(item));
    if (!fits || (length !== undefined && value.length !== length))
      throw this.#wrong(key, value, `an array of ${length ?? ""} numbers`.replace("  ", " "));
    return value as number[];
  }

  /** An array of strings, each one of `choices`. */
  strings<T extends string>(key: Key, choices: readonly T[], length: number): T[] {
    this.limit(key, choices);
    const value = this.#value(key, undefined);
    if (!Array.isArray(value) || value.length !== length || !value.every((item) => choices.includes(item)))
      throw this.#wrong(key, value, `an array of ${length} of: ${choices.join(", ")}`);
    return value as T[];
  }

  /** A nested object, or undefined when it is absent or null. */
  child(key: Key): Config | undefined {
    const name = this.#find(key);
    if (name === undefined) return undefined;
    return new Config(this.raw[name], this.#join(name), this.#read, this.#limits);
  }

  /** A nested object; where it is absent, one without fields. */
  part(key: Key): Config {
    return this.child(key) ?? new Config({}, this.#name(key), this.#read, this.#limits);
  }

  /** A field that changes the numbers and that only these values are implemented for; absent counts as the first, as does null. */
  only(key: Key, ...values: readonly Plain[]): void {
    const name = this.#find(key);
    this.limit(key, values);
    if (name === undefined || values.includes(this.raw[name] as never)) return;
    throw new ModelError(
      "config-unsupported",
      `config.json: ${this.#join(name)} is ${JSON.stringify(this.raw[name])}, which is not supported; supported: ${values.map((value) => JSON.stringify(value)).join(", ")}`,
    );
  }

  /** Notes that only these values of a field are supported, under each of its names; for fields that may be absent. */
  limit(key: Key, values: readonly Plain[]): void {
    for (const name of [key].flat()) this.#limits.values.set(this.#join(name), values);
  }

  /** Fields that others make meaningless, with all that is in them: known, though nobody asks what they say. */
  moot(...keys: readonly Key[]): void {
    for (const name of keys.flat()) {
      this.#read.add(this.#join(name));
      const value = this.raw[name];
      if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
      new Config(value, this.#join(name), this.#read, this.#limits).moot(...Object.keys(value));
    }
  }

  /** Holds a combination of fields to a rule; `message` says how this one breaks it. */
  must(rule: string, holds: boolean, message: string): void {
    this.#limits.rules.add(rule);
    if (!holds) throw new ModelError("config-unsupported", `config.json: ${message}`);
  }

  #find(key: Key): string | undefined {
    const names = typeof key === "string" ? [key] : key;
    for (const name of names) this.#read.add(this.#join(name));
    return names.find((name) => this.raw[name] !== undefined && this.raw[name] !== null);
  }

  #value(key: Key, or: unknown): unknown {
    const name = this.#find(key);
    if (name !== undefined) return this.raw[name];
    if (or === undefined) throw new ModelError("config-missing", `config.json: field ${this.#name(key)} is missing`);
    return or;
  }

  #wrong(key: Key, value: unknown, wanted: string): ModelError {
    const shown = JSON.stringify(value)?.slice(0, 60) ?? "nothing";
    return new ModelError("config-invalid", `config.json: ${this.#name(key)} is ${shown}, not ${wanted}`);
  }

  #name(key: Key): string {
    return this.#join(this.#find(key) ?? (typeof key === "string" ? key : key[0]));
  }

  #join(name: string): string {
    return this.#path ? `${this.#path}.${name}` : name;
  }
}
