import { isObject, type Json, type SchemaObject } from "./schema.ts";

/** What is out of question, where that is all: what every negation comes down to. */
interface PlainNot {
  readonly values: readonly Json[];
  /** Whole numbers are out of question too. */
  readonly integers: boolean;
}

const INTEGERS = { type: "integer" };

export function plainNotOf(not: Json | undefined): PlainNot | undefined {
  if (!isObject(not) || Object.keys(not).length !== 1) return undefined;
  if (Array.isArray(not.enum)) return { values: not.enum, integers: false };
  const [listed, integers, ...others] = Array.isArray(not.anyOf) ? (not.anyOf as Json[]) : [];
  const values = plainNotOf(listed);
  if (!values || values.integers || others.length > 0 || !isObject(integers)) return undefined;
  return integers.type === INTEGERS.type && Object.keys(integers).length === 1
    ? { ...values, integers: true }
    : undefined;
}

/** The same as what "not" says. */
export const plainNot = ({ values, integers }: PlainNot): Json =>
  integers ? { anyOf: [{ enum: values }, INTEGERS] } : { enum: values };

export const isPlainNot = (not: Json | undefined): boolean => plainNotOf(not) !== undefined;

/** The values that are out of question, one by one. */
export const notOf = ({ not }: SchemaObject): readonly Json[] => plainNotOf(not)?.values ?? [];

export const isWithoutIntegers = ({ not }: SchemaObject): boolean => plainNotOf(not)?.integers ?? false;
