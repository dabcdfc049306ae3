import { FORMATS, formatName } from "@llm/tensor";
import { type Dim, parseDim } from "./dim.ts";
import { GraphError } from "./error.ts";
import type { Attr, Attrs } from "./graph.ts";

/** One attribute: how it is checked and what it is called in lists. */
export interface Field<T> {
  readonly kind: string;
  readonly optional?: boolean;
  /** Holds dimensions, which binding symbols to sizes must reach. */
  readonly dims?: boolean;
  /** Undefined when `value` isn't of this kind. */
  parse(value: Attr): T | undefined;
}

/** Checks attributes that came from text or JSON; throws a GraphError naming the attribute. */
export interface Schema<A> {
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  parse(attrs: Attrs): A;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends { optional: true } ? K : never }[keyof F];
type FieldType<X> = X extends Field<infer T> ? T : never;
type Simplify<T> = { [K in keyof T]: T[K] };

/** What a schema of these fields parses to. */
export type FieldTypes<F extends Fields> = Simplify<
  { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: FieldType<F[K]> } & {
    readonly [K in OptionalKeys<F>]?: FieldType<F[K]>;
  }
>;

/** A schema: every field is checked, missing and unknown ones are refused. */
export function schema<F extends Fields>(fields: F): Schema<FieldTypes<F>> {
  return {
    fields,
    parse(attrs) {
      const out: Record<string, unknown> = {};
      for (const [name, field] of Object.entries(fields)) {
        const value = attrs[name];
        if (value === undefined) {
          if (!field.optional) throw new GraphError("attribute", `attribute ${name} is missing (${field.kind})`);
        } else out[name] = parseField(name, field, value);
      }
      for (const name of Object.keys(attrs))
        if (!Object.hasOwn(fields, name) && attrs[name] !== undefined)
          throw new GraphError("attribute", `unknown attribute ${name}; there ${known(Object.keys(fields))}`);
      return out as FieldTypes<F>;
    },
  };
}

/** No attributes at all. */
export const none: Schema<Record<never, never>> = schema({});

export function optional<T>(field: Field<T>): Field<T> & { readonly optional: true } {
  return { ...field, kind: `${field.kind}?`, optional: true };
}

export const number: Field<number> = field("number", (v) => typeof v === "number");

export const boolean: Field<boolean> = field("boolean", (v) => typeof v === "boolean");

export const text: Field<string> = field("string", (v) => typeof v === "string");

export function integer(min: number = Number.MIN_SAFE_INTEGER): Field<number> {
  const kind = min === Number.MIN_SAFE_INTEGER ? "integer" : `integer >= ${min}`;
  return field(kind, (v) => Number.isSafeInteger(v) && (v as number) >= min);
}

export function choice<const T extends string>(...of: readonly T[]): Field<T> {
  return field(of.join(" | "), (v) => of.includes(v as T));
}

export const numbers: Field<readonly number[]> = field(
  "list of numbers",
  (v) => Array.isArray(v) && v.every((n) => typeof n === "number"),
);

export const texts: Field<readonly string[]> = field(
  "list of strings",
  (v) => Array.isArray(v) && v.every((n) => typeof n === "string"),
);

export const integers: Field<readonly number[]> = field(
  "list of integers",
  (v) => Array.isArray(v) && v.every((n) => Number.isSafeInteger(n)),
);

/** One dimension, in canonical text. */
export const dim: Field<Dim> = { kind: "dimension", dims: true, parse: readDim };

/** A shape: a list of dimensions. */
export const dims: Field<readonly Dim[]> = {
  kind: "list of dimensions",
  dims: true,
  parse: (value) => {
    if (!Array.isArray(value)) return undefined;
    const shape = value.map(readDim);
    return shape.includes(undefined) ? undefined : (shape as Dim[]);
  },
};

/** A size for each of some symbols. */
export const sizes: Field<Readonly<Record<string, number>>> = field(
  "sizes by symbol",
  (v) =>
    typeof v === "object" && v !== null && Object.values(v).every((n) => Number.isSafeInteger(n) && Number(n) >= 0),
);

/** A number format of the tensor package, by name. */
export const format: Field<string> = field(
  "a number format",
  (v) => typeof v === "string" && Object.hasOwn(FORMATS, formatName(v)),
);

/** A list of things of one kind. */
export function list<T>(of: Field<T>): Field<readonly T[]> {
  return {
    kind: `list of ${of.kind}`,
    parse: (value) => {
      if (!Array.isArray(value)) return undefined;
      const items = value.map((item) => of.parse(item));
      return items.includes(undefined) ? undefined : (items as T[]);
    },
  };
}

/** An object with fields of its own. */
export function record<F extends Fields>(fields: F): Field<FieldTypes<F>> {
  const inner = schema(fields);
  const kinds = Object.entries(fields).map(([name, f]) => `${name}: ${f.kind}`);
  return {
    kind: `{${kinds.join(", ")}}`,
    parse: (value) =>
      typeof value === "object" && value !== null && !Array.isArray(value) ? inner.parse(value as Attrs) : undefined,
  };
}

function field<T>(kind: string, fits: (value: Attr) => boolean): Field<T> {
  return { kind, parse: (value) => (fits(value) ? (value as T) : undefined) };
}

function readDim(value: Attr): Dim | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  try {
    return typeof value === "string" ? parseDim(value) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseField(name: string, field: Field<unknown>, value: Attr): unknown {
  let parsed: unknown;
  try {
    parsed = field.parse(value);
  } catch (error) {
    if (!GraphError.isInstance(error)) throw error;
    throw new GraphError("attribute", `in ${name}: ${error.message}`); // of an object's own field
  }
  if (parsed === undefined)
    throw new GraphError("attribute", `attribute ${name} is ${JSON.stringify(value)}, not ${field.kind}`);
  return parsed;
}

function known(names: readonly string[]): string {
  return names.length === 0 ? "are none" : `is ${names.join(", ")}`;
}
