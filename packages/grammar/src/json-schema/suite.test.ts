import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Constraint } from "../constraint.ts";
import { GrammarError } from "../error.ts";
import { parseGrammar } from "../source.ts";
import { byteVocabulary } from "../testing/byte-vocabulary.ts";
import { readSchema } from "./schema.ts";

interface Group {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

const folder = new URL("../../fixtures/json-schema-suite/", import.meta.url);
const groups = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .flatMap((name) =>
    (readSchema(readFileSync(new URL(name, folder), "utf8")) as Group[]).map((group) => ({ ...group, name })),
  );
const vocabulary = byteVocabulary();

/** A value as it stood in the suite's file, to the digit. */
const textOf = (data: unknown): string =>
  JSON.stringify(data, (_, value: unknown) =>
    typeof value === "bigint" ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value)) : value,
  );

/** Keywords whose groups are left out, because they are refused by name. */
const REFUSED = [
  "$dynamicRef",
  "$id",
  "$ref",
  "contains",
  "if",
  "maxContains",
  "minContains",
  "minProperties",
  "multipleOf",
  "not",
  "oneOf",
  "patternProperties",
  "unevaluatedItems",
  "unevaluatedProperties",
  "uniqueItems",
];

describe("the public JSON-Schema test suite", () => {
  const counts = { held: 0, missed: 0, refused: 0 };
  const refusedBy = new Set<string>();
  const falseAccepts: string[] = [];
  for (const { name, description, schema, tests } of groups) {
    let constraint: Constraint | undefined;
    try {
      constraint = new Constraint(parseGrammar({ jsonSchema: schema }), vocabulary);
    } catch (error) {
      if (!GrammarError.isInstance(error)) throw error;
      // A schema that nothing matches accepts nothing, as it should.
      if (error.code !== "unsatisfiable") {
        refusedBy.add(/"([^"]+)"/.exec(error.message)?.[1] ?? error.message);
        counts.refused += tests.length;
        continue;
      }
    }
    for (const { data, valid, description: what } of tests) {
      const matches = constraint?.matches(textOf(data)) ?? false;
      if (matches && !valid) falseAccepts.push(`${name}: ${description}: ${what}`);
      counts[matches === valid ? "held" : "missed"]++;
    }
  }

  it("accepts nothing that is invalid", () => {
    expect(falseAccepts).toEqual([]);
  });

  it("refuses schemas by these keywords alone", () => {
    expect([...refusedBy].sort()).toEqual(REFUSED);
  });

  it("gives most of the valid values a way", () => {
    const rate = counts.held / (counts.held + counts.missed);
    process.stdout.write(
      `JSON-Schema test suite: ${counts.held} of ${counts.held + counts.missed} as they should be (${(100 * rate).toFixed(1)} %), ${counts.refused} left out\n`,
    );
    expect(rate).toBeGreaterThan(0.77);
    expect(counts.refused).toBeLessThan(360);
  });
});
