import { describe, expect, it } from "vitest";
import { Constraint } from "../constraint.ts";
import { parseGrammar } from "../source.ts";
import { byteVocabulary } from "../testing/byte-vocabulary.ts";

const vocabulary = byteVocabulary();
const constraint = (jsonSchema: unknown) => new Constraint(parseGrammar({ jsonSchema }), vocabulary);

/** Those of a few integers around a number that match. */
function around(schema: unknown, middle: bigint): bigint[] {
  const compiled = constraint(schema);
  return [-2n, -1n, 0n, 1n, 2n].filter((offset) => compiled.matches(String(middle + offset)));
}

describe("whole numbers beyond what doubles hold", () => {
  const LIMITS = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 1234567890123456789n];

  it.each(LIMITS)("a limit of %s is held to the digit where the schema's text is there", (limit) => {
    expect(around(`{"type":"integer","maximum":${limit}}`, limit)).toEqual([-2n, -1n, 0n]);
    expect(around(`{"type":"integer","minimum":${limit}}`, limit)).toEqual([0n, 1n, 2n]);
    expect(around(`{"type":"integer","maximum":${-limit}}`, -limit)).toEqual([-2n, -1n, 0n]);
    expect(around(`{"type":"integer","minimum":${-limit}}`, -limit)).toEqual([0n, 1n, 2n]);
    expect(around(`{"allOf":[{"type":"integer","maximum":${limit}},{"maximum":${limit - 1n}}]}`, limit)).toEqual([
      -2n,
      -1n,
    ]);
  });

  it.each(LIMITS)("a limit that may have been %s before it was read lets nothing beyond that come", (limit) => {
    for (const type of ["integer", "number"]) {
      for (const sign of [1n, -1n]) {
        const edge = sign * limit;
        for (const maximum of ["maximum", "exclusiveMaximum"])
          expect(around(JSON.parse(`{"type":"${type}","${maximum}":${edge}}`), edge).filter((o) => o > 0n)).toEqual([]);
        for (const minimum of ["minimum", "exclusiveMinimum"])
          expect(around(JSON.parse(`{"type":"${type}","${minimum}":${edge}}`), edge).filter((o) => o < 0n)).toEqual([]);
      }
      // By less than half of what lies between two doubles.
      const maximum = constraint(JSON.parse(`{"type":"${type}","maximum":${limit}}`));
      expect(maximum.matches(String(BigInt(Number(limit)) - 4096n))).toBe(true);
    }
  });

  it("are what the text says where they are values", () => {
    const id = "1234567890123456789";
    const rounded = String(BigInt(Number(id)));
    for (const schema of [`{"const":${id}}`, `{"enum":[1,${id}],"maximum":${id}}`, `{"enum":[{"a":${id}}, ${id}]}`]) {
      expect(constraint(schema).matches(id)).toBe(true);
      expect(constraint(schema).matches(rounded)).toBe(false);
      expect(() => constraint(JSON.parse(schema))).toThrow(/1234567890123456800 of the schema may stand for another/);
    }
    expect(constraint('{"const":9007199254740991}').matches("9007199254740991")).toBe(true);
    expect(constraint(`{"type":"integer","not":{"const":${id}}}`).matches(id)).toBe(false);
    expect(constraint(JSON.parse(`{"type":"integer","not":{"const":${id}}}`)).matches(id)).toBe(false);
  });

  it("are texts of JSON schemas like any others", () => {
    expect(() => constraint("{")).toThrow("the JSON schema is not valid JSON");
    expect(() => constraint('"text"')).toThrow("a JSON schema is an object or a boolean");
  });
});
