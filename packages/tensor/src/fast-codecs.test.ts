import { nativeCodecLevels, nativeCodecs, tuneNativeCodecs } from "@llm/runtime-native/codecs";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { TypedArray } from "./dtype.ts";
import { useFastCodecs } from "./fast-codecs.ts";
import { blockCodecs } from "./formats/gguf/index.ts";
import { codecOf, FORMATS } from "./formats/index.ts";
import { AWQ, GPTQ, unpackLinear } from "./formats/linear-words.ts";
import { bf16ToF32, convertHalves, f16ToF32, type Loss, toBf16, toF16 } from "./half.ts";

const levels = nativeCodecLevels();
const required = process.env.LLM_TEST_REQUIRE_ALL === "1";

test.skipIf(levels.length === 0 && !required)(
  "there is an addon to compare with (npm run build in runtime-native)",
  () => {
    expect(levels).toContain("base");
  },
);

afterEach(() => useFastCodecs(undefined));
afterAll(() => {
  if (levels[0]) tuneNativeCodecs({ level: levels[0] });
});

/** The same work by this package's own loops and by the faster ones. */
function both<T>(work: () => T): [own: T, fast: T] {
  const own = work();
  useFastCodecs(nativeCodecs);
  const fast = work();
  useFastCodecs(undefined);
  return [own, fast];
}

/** Bit for bit, but that a NaN is like any other. */
function expectSame(own: TypedArray, fast: TypedArray): void {
  expect(fast.constructor).toBe(own.constructor);
  expect(fast.length).toBe(own.length);
  for (let i = 0; i < own.length; i++)
    if (!Object.is(own[i], fast[i])) expect.fail(`at ${i}: ${fast[i]} instead of ${own[i]}`);
}

/** For halves, whose NaNs are patterns. */
function expectSameHalves(own: Uint16Array, fast: Uint16Array, infinity: number): void {
  for (let i = 0; i < own.length; i++) {
    const nan = (own[i]! & 0x7fff) > infinity && (fast[i]! & 0x7fff) > infinity;
    if (own[i] !== fast[i] && !nan) expect.fail(`at ${i}: ${fast[i]} instead of ${own[i]}`);
  }
}

/** A sequence of 32-bit words; the same for the same seed. */
function words(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const SPECIAL = [0, -0, 1, -1, 65504, 65520, -7e4, 6e-8, 3e-8, 1e-38, 1e-40, -1e-45, 3.4e38, -3.4e38];
const KINDS = ["weights", "halves", "tiny", "huge", "bits", "special", "infinite", "zero", "outlier"] as const;

/** Values of several kinds, those of a block mostly of one: weights, ties, what has no exponent left, anything at all. */
function values(count: number, seed: number): Float32Array {
  const next = words(seed);
  const uniform = () => next() / 2 ** 31 - 1;
  const out = new Float32Array(count);
  const bits = new Uint32Array(out.buffer);
  for (let from = 0; from < count; from += 32) {
    const kind = KINDS[next() % KINDS.length]!;
    const scale = 2 ** ((next() % 20) - 10);
    for (let i = from; i < Math.min(from + 32, count); i++) {
      if (kind === "weights") out[i] = uniform() * scale;
      else if (kind === "halves") out[i] = ((next() % 511) - 255) * 0.5 * scale;
      else if (kind === "tiny") out[i] = uniform() * 1e-37 * scale;
      else if (kind === "huge") out[i] = uniform() * 3e38;
      else if (kind === "bits") bits[i] = next();
      else if (kind === "special") out[i] = SPECIAL[next() % SPECIAL.length]!;
      else if (kind === "infinite") out[i] = next() % 16 === 0 ? Infinity * uniform() : uniform();
      else if (kind === "outlier") out[i] = i % 32 === 5 ? 1e4 * scale : uniform() * scale;
    }
  }
  return out;
}

/** Sizes of a matrix that a format can cut into its blocks, words or lanes; the last group of a row may be a short one. */
function sizesOf(format: string, s: number): { readonly rows: number; readonly columns: number } {
  const rows = 1 + ((s >> 4) % 4);
  if (format.startsWith("bm1684x")) return { rows: 64 * (1 + (rows % 2)), columns: 128 * (1 + (s % 3)) };
  if (/^(gptq|awq)/.test(format)) return { rows: 8 * rows, columns: 256 + 8 * (s % 33) };
  return { rows, columns: /^(q\d|gguf)/.test(format) ? 32 * (8 + (s % 5)) : 256 + (s % 333) };
}

const seed = fc.integer();
const numRuns = 30;

describe.each(levels)("%s", (level) => {
  const check = (property: fc.IProperty<[number]>) => {
    tuneNativeCodecs({ level });
    fc.assert(property, { numRuns });
  };

  test("every pattern of fp16 and bf16 widens alike, and each becomes the same of the other", () => {
    tuneNativeCodecs({ level });
    const every = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
    for (const widen of [f16ToF32, bf16ToF32]) {
      const [own, fast] = both(() => widen(every));
      expectSame(own, fast);
    }
    for (const [from, to, infinity] of [
      ["bf16", "f16", 0x7c00],
      ["f16", "bf16", 0x7f80],
    ] as const) {
      const [own, fast] = both(() => {
        const loss: Loss = { overflowed: 0 };
        return { bits: convertHalves(from, to, every, new Uint16Array(every.length), loss), loss };
      });
      expectSameHalves(own.bits, fast.bits, infinity);
      expect(fast.loss).toEqual(own.loss);
    }
  });

  test("fp32 becomes fp16 and bf16 alike, and as many overflow", () => {
    check(
      fc.property(seed, (s) => {
        const x = values(1000 + (Math.abs(s) % 1000), s);
        for (const [narrow, infinity] of [
          [toF16, 0x7c00],
          [toBf16, 0x7f80],
        ] as const) {
          const [own, fast] = both(() => {
            const loss: Loss = { overflowed: 0 };
            return { bits: narrow(x, undefined, loss), loss };
          });
          expectSameHalves(own.bits, fast.bits, infinity);
          expect(fast.loss).toEqual(own.loss);
        }
      }),
    );
  });

  test("fp16's infinities are clipped and counted", () => {
    tuneNativeCodecs({ level });
    const every = Uint16Array.from({ length: 70_000 }, (_, bits) => bits);
    const clipped = every.slice();
    expect(nativeCodecs()!.clipHalves(clipped)).toBe(2);
    expect(clipped).toEqual(every.map((bits) => ((bits & 0x7fff) === 0x7c00 ? bits - 1 : bits)));
  });

  test("everything between two fp16 numbers rounds alike", () => {
    tuneNativeCodecs({ level });
    const bits = new Uint32Array(0x40000).map((_, i) => (0x33000000 + 0x557 * i) | (i & 1 ? 0x80000000 : 0));
    for (let i = 0; i < bits.length; i += 3) bits[i] = (bits[i]! & 0xffffe000) | 0x1000; // ties
    const [own, fast] = both(() => toF16(new Float32Array(bits.buffer)));
    expectSameHalves(own, fast, 0x7c00);
  });

  const SPECS = Object.values(FORMATS)
    .filter(({ name }) => /^(int|matmul|mx|q\d_\d|gguf|gptq|awq|bm1684x)/.test(name))
    .flatMap(({ name, options }) =>
      [undefined, ...(options.group ?? [])].flatMap((group) =>
        (options.symmetric ? [true, false] : [undefined]).map((symmetric) => ({
          format: name,
          ...(group !== undefined && { group }),
          ...(symmetric !== undefined && { symmetric }),
        })),
      ),
    );

  test.each(SPECS)("$format, group $group, symmetric $symmetric: made and rounded alike", (spec) => {
    const codec = codecOf(spec);
    check(
      fc.property(seed, (s) => {
        const { rows, columns } = sizesOf(spec.format, Math.abs(s));
        const x = values(rows * columns, s);
        const [own, fast] = both(() => codec.encode(x.slice(), rows, columns));
        expect(Object.keys(fast)).toEqual(Object.keys(own));
        for (const part of Object.keys(own)) expectSame(own[part]!, fast[part]!);
        const [ownRounded, fastRounded] = both(() => {
          const copy = x.slice();
          codec.round(copy, rows, columns);
          return copy;
        });
        expectSame(ownRounded, fastRounded);
      }),
    );
  });

  test.each(Object.entries(blockCodecs))("%s: any bytes decode alike", (_, codec) => {
    check(
      fc.property(seed, (s) => {
        const next = words(s);
        const blocks = 8 + (Math.abs(s) % 9);
        const packed = Uint8Array.from({ length: blocks * codec.bytes }, () => next() >>> 24);
        const [own, fast] = both(() => {
          const out = new Float32Array(blocks * codec.block);
          codec.decode(packed, out);
          return out;
        });
        expectSame(own, fast);
      }),
    );
  });

  test.each([
    { name: "GPTQ", layout: GPTQ, bits: 4 },
    { name: "GPTQ", layout: GPTQ, bits: 2 },
    { name: "GPTQ", layout: GPTQ, bits: 8 },
    { name: "AWQ", layout: AWQ, bits: 4 },
  ])("$name of $bits bits: any box of any words unpacks alike", ({ layout, bits }) => {
    check(
      fc.property(seed, (s) => {
        const next = words(s);
        const [outputs, inputs, groups] = [17 + (next() % 40), 16 + (next() % 50), 1 + (next() % 4)];
        const skipped = next() % 8;
        const count = layout.packed === "inputs" ? outputs * (inputs + 16) : inputs * (outputs + 16);
        const linear = {
          bits,
          outputs,
          inputs,
          skipped,
          words: Uint32Array.from({ length: count }, next),
          scales: values(groups * outputs, s),
          zeros: Float32Array.from({ length: groups * outputs }, () => next() % 17),
          groupOf: Int32Array.from({ length: inputs }, () => next() % groups),
        };
        const [own, fast] = both(() => unpackLinear(linear, layout));
        expectSame(own, fast);
      }),
    );
  });
});

test.skipIf(levels.length === 0)("what is large enough for several threads comes out alike", () => {
  const [rows, columns] = [320, 2048];
  const x = values(rows * columns, 7);
  tuneNativeCodecs({ threads: 3 });
  for (const format of ["int8", "int4", "mxfp4", "q4_0", "gptq", "awq", "bm1684x_w4", "bm1684x_w8_channel"]) {
    const [own, fast] = both(() => codecOf({ format }).encode(x.slice(), rows, columns));
    for (const part of Object.keys(own)) expectSame(own[part]!, fast[part]!);
  }
});
