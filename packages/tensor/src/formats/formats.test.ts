import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizeOf } from "../tensor.ts";
import { codecOf, FORMATS, formatName } from "./index.ts";

/** Enough to meet every kind of value in every format, in a few seconds for all of them. */
const numRuns = 40;

/** Formats that can be made, in every choice of their options. */
const MADE = Object.values(FORMATS)
  .flatMap(({ name, options }) => {
    const groups = [undefined, ...(options.group ?? [])];
    const choices = options.symmetric ? [undefined, true, false] : [undefined];
    return groups.flatMap((group) =>
      choices.map((symmetric) => ({
        format: name,
        ...(group !== undefined && { group }),
        ...(symmetric !== undefined && { symmetric }),
      })),
    );
  })
  .filter(({ format }) => !/^(q\d_K|iq4)/.test(format));

/** Some formats fill words, or a chip's lanes, with several rows. */
const rowsOf = (format: string) => {
  if (format.startsWith("bm1684x")) return fc.constant(64);
  return /gptq|awq/.test(format) ? fc.constantFrom(8, 16) : fc.integer({ min: 1, max: 3 });
};

/** Rows of any length, or of whole blocks where a format needs them. */
const columnsOf = (format: string) =>
  format.startsWith("bm1684x")
    ? fc.constant(128)
    : /^q\d|gguf|gptq|awq/.test(format)
      ? fc.constantFrom(32, 96, 256)
      : fc.constantFrom(1, 31, 32, 33, 64, 128, 200);

const f32 = (value: number) => Math.fround(value);
/** What weights look like, and what they seldom look like. */
const value = fc.oneof(
  { weight: 8, arbitrary: fc.float({ min: f32(-2), max: f32(2), noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1, -1, 0.5, 6, -6, 7.5, 28) },
  { weight: 1, arbitrary: fc.float({ min: f32(-1000), max: f32(1000), noNaN: true }) },
  { weight: 1, arbitrary: fc.float({ min: f32(-1e-30), max: f32(1e-30), noNaN: true }) },
);

/** Rows are one another turned around, which no format can tell from others. */
const matrix = (format: string, of = value): fc.Arbitrary<Matrix> =>
  fc.tuple(rowsOf(format), columnsOf(format)).chain(([rows, columns]) =>
    fc.array(of, { minLength: columns, maxLength: columns }).map((row) => ({
      rows,
      columns,
      values: Float32Array.from(
        { length: rows * columns },
        (_, i) => row[(i + 7 * Math.floor(i / columns)) % columns]!,
      ),
    })),
  );

test.each([
  ["INT8", "int8"],
  ["f16", "fp16"],
  ["MXFP6", "mxfp6_e2m3"],
  ["q4_k", "q4_K"],
  ["W4F16", "bm1684x_w4"],
  ["constructor", "constructor"],
])("%s is the format %s", (said, name) => {
  expect(formatName(said)).toBe(name);
});

const rounded = (spec: (typeof MADE)[number], { rows, columns, values }: Matrix) => {
  const copy = values.slice();
  codecOf(spec).round(copy, rows, columns);
  return copy;
};
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

describe.each(MADE)("$format, group $group, symmetric $symmetric", (spec) => {
  const codec = codecOf(spec);

  test("what is packed unpacks to what rounding gives, in parts of the size they say", () => {
    fc.assert(
      fc.property(matrix(spec.format), (x) => {
        const parts = codec.encode(x.values, x.rows, x.columns);
        const types = codec.parts(x.rows, x.columns);
        expect(Object.keys(parts).sort()).toEqual(Object.keys(types).sort());
        let bits = 0;
        for (const [name, { shape }] of Object.entries(types)) {
          expect(parts[name]!.length).toBe(sizeOf(shape));
          if (!codec.whole) expect(shape[0]).toBe(x.rows);
          if (name !== "g_idx") bits += 8 * parts[name]!.byteLength;
        }
        expect(codec.bitsPerWeight(x.columns)).toBeCloseTo(bits / x.values.length, 9);
        expect(codec.decode(parts, x.rows, x.columns)).toEqual(rounded(spec, x));
      }),
      { numRuns },
    );
  });

  test("no value is further off than the bound of its block", () => {
    fc.assert(
      fc.property(matrix(spec.format), (x) => {
        const found = rounded(spec, x);
        const block = codec.block(x.columns);
        for (let row = 0; row < x.rows; row++)
          for (let at = 0; at < x.columns; at += block) {
            const from = row * x.columns + at;
            const end = Math.min(from + block, (row + 1) * x.columns);
            const bound = codec.bound(x.values.subarray(from, end));
            for (let i = from; i < end; i++)
              if (!(Math.abs(found[i]! - x.values[i]!) <= bound))
                expect.fail(`${x.values[i]} became ${found[i]}, bound ${bound}`);
          }
      }),
      { numRuns },
    );
  });

  test("nor is one whose scale is too small for its inverse", () => {
    const x = Float32Array.from({ length: 128 }, (_, i) => (i % 16 === 1 ? -2.369526198769435e-38 : 0));
    const found = rounded(spec, { rows: 1, columns: 128, values: x });
    const block = codec.block(128);
    for (let at = 0; at < 128; at += block) {
      const bound = codec.bound(x.subarray(at, at + block));
      for (let i = at; i < at + block; i++) expect(Math.abs(found[i]! - x[i]!)).toBeLessThanOrEqual(bound);
    }
  });

  test("rows don't know of each other", () => {
    fc.assert(
      fc.property(matrix(spec.format), (x) => {
        const whole = rounded(spec, x);
        for (let row = 0; row < x.rows; row++) {
          const values = x.values.slice(row * x.columns, (row + 1) * x.columns);
          const alone = rounded(spec, { rows: 1, columns: x.columns, values });
          expect(whole.subarray(row * x.columns, (row + 1) * x.columns)).toEqual(alone);
        }
      }),
      { numRuns: 10 },
    );
  });

  test("zeros stay zeros, one outlier stays nearly itself", () => {
    const zeros = { rows: 1, columns: 128, values: new Float32Array(128) };
    for (const found of rounded(spec, zeros)) expect(Math.abs(found)).toBe(0);
    const outlier = { ...zeros, values: new Float32Array(128).fill(1e-3).with(17, -500) };
    const found = rounded(spec, outlier);
    expect(Math.abs(found[17]! + 500)).toBeLessThanOrEqual(500 * 0.25);
    expect(found.every((value) => Number.isFinite(value))).toBe(true);
  });

  test.each([Number.POSITIVE_INFINITY, Number.NaN])("%d is never turned into an ordinary number", (odd) => {
    if (/^q\d|gguf/.test(spec.format)) return; // ggml's bytes for these are what its own code gives
    const x = { rows: 1, columns: 128, values: new Float32Array(128).fill(0.5).with(3, odd) };
    expect(Number.isFinite(rounded(spec, x)[3])).toBe(false);
    expect(codec.bound(x.values)).toSatisfy((bound: number) => !(bound < Infinity));
  });
});

/** Formats that keep what they once made; ggml's own scales drift by design. */
const STABLE = MADE.filter(
  ({ format, symmetric }) => !/^q\d|gguf|nbits|gptq|awq|bm1684x/.test(format) && symmetric !== false,
);

test.each(STABLE)("$format, group $group: rounding twice changes nothing more", (spec) => {
  // Scales are fp16: below its normal numbers they have too few bits to be found again.
  const usual = fc.oneof(fc.float({ min: f32(-100), max: f32(100), noNaN: true }), fc.constant(0));
  const large = matrix(spec.format, usual).filter(({ values }) => values.every((v) => v === 0 || Math.abs(v) > 0.01));
  fc.assert(
    fc.property(large, (x) => {
      const once = rounded(spec, x);
      expect(rounded(spec, { ...x, values: once })).toEqual(once);
    }),
  );
});

test("unknown formats and options are refused by name", () => {
  expect(() => codecOf({ format: "int5" })).toThrow("no number format int5; there are fp32, fp16, bf16, int8");
  expect(() => codecOf({ format: "constructor" })).toThrow("no number format constructor");
  expect(() => codecOf({ format: "int4", group: 48 })).toThrow("int4 has no groups of 48; it has 32, 64, 128");
  expect(() => codecOf({ format: "mxfp4", group: 32 })).toThrow("mxfp4 has no choice of groups");
  expect(() => codecOf({ format: "int8", symmetric: false })).toThrow("int8 has no choice of zero points");
  expect(() => codecOf({ format: "q8_0" }).parts(1, 40)).toThrow("rows of 40 can't be cut into q8_0's blocks of 32");
  expect(() => codecOf({ format: "q4_K" }).encode(new Float32Array(256), 1, 256)).toThrow("q4_K can be read");
});
