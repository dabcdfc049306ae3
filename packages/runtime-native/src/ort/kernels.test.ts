import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAddon } from "../addon.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { tinyOnnx } from "../testing/tiny-onnx.ts";
import { openOrt, ortAddonStatus } from "./open.ts";
import type { OrtOptions } from "./session.ts";
import { ortTensor } from "./tensor.ts";

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly bias?: boolean;
  /** Whether every scale has an exact half. */
  readonly halves?: boolean;
  readonly zeros?: boolean;
  /** Columns take their scales from the last group to the first. */
  readonly reversed?: boolean;
  /** How exact activations must be, as the operator counts it; 4 is 8 bits. */
  readonly level?: number;
}

const GROUP = 32;
let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-kernels-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Numbers that look random and are the same every time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A model of one packed product, and its weight in float64 (rows, columns). */
function product(shape: Shape): { file: string; weight: Float64Array; bias: Float32Array } {
  const { rows, columns, bits, bias = false, halves = false, zeros = false, reversed = false, level = 4 } = shape;
  const next = numbers(rows * 31 + columns * 7 + bits);
  const groups = Math.ceil(columns / GROUP);
  const bytes = (GROUP * bits) / 8;
  const codes = Uint8Array.from({ length: rows * groups * bytes }, () => next() * 256);
  // Both ends of the range, where sums of products are largest.
  codes.fill(0, 0, bytes).fill(255, bytes, 2 * bytes);
  const scales = Float32Array.from({ length: rows * groups }, () =>
    halves ? Math.ceil(next() * 64) / 4096 : next() / 64,
  );
  const added = Float32Array.from({ length: rows }, () => next() - 0.5);
  const points = new Uint8Array(rows * Math.ceil((groups * bits) / 8)).fill(bits === 4 ? 0x99 : 0x90);
  const name = `product-${files++}`;
  const groupOf = (column: number) => {
    const group = Math.floor(column / GROUP);
    return reversed ? groups - 1 - group : group;
  };
  const order = Int32Array.from({ length: columns }, (_, column) => groupOf(column));
  const parts = [codes, scales, added, order, points].map((part) => new Uint8Array(part.buffer));
  const offsets = parts.map((_, i) =>
    parts.slice(0, i).reduce((sum, part) => sum + Math.ceil(part.length / 64) * 64, 0),
  );
  const data = new Uint8Array(offsets.at(-1)! + parts.at(-1)!.length);
  for (const [i, part] of parts.entries()) data.set(part, offsets[i]);
  writeFileSync(join(folder, `${name}.bin`), data);
  const stored = (called: string, index: number, dims: readonly number[], type: "f32" | "u8" | "i32") =>
    ({ name: called, type, shape: dims, file: `${name}.bin`, offset: offsets[index]! }) as const;
  const file = join(folder, `${name}.onnx`);
  writeFileSync(
    file,
    tinyOnnx({
      nodes: [
        {
          op: "MatMulNBits",
          domain: "com.microsoft",
          inputs: ["x", "codes", "scales", zeros ? "points" : "", reversed ? "order" : "", bias ? "bias" : ""],
          outputs: ["y"],
          ints: { K: columns, N: rows, bits, block_size: GROUP, accuracy_level: level },
        },
      ],
      weights: [
        stored("codes", 0, [rows, groups, bytes], "u8"),
        stored("scales", 1, [rows, groups], "f32"),
        ...(bias ? [stored("bias", 2, [rows], "f32")] : []),
        ...(reversed ? [stored("order", 3, [columns], "i32")] : []),
        ...(zeros ? [stored("points", 4, [rows, points.length / rows], "u8")] : []),
      ],
      inputs: [{ name: "x", type: "f32", shape: ["batch", "n", columns] }],
      outputs: [{ name: "y", type: "f32", shape: ["batch", "n", rows] }],
    }),
  );
  const middle = zeros ? (bits === 4 ? 9 : 0x90) : 2 ** (bits - 1);
  const weight = Float64Array.from({ length: rows * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    const at = (r * groups + Math.floor(c / GROUP)) * bytes;
    const code = bits === 8 ? codes[at + (c % GROUP)]! : (codes[at + ((c % GROUP) >> 1)]! >> (4 * (c & 1))) & 15;
    return (code - middle) * scales[r * groups + groupOf(c)]!;
  });
  return { file, weight, bias: bias ? added : new Float32Array(rows) };
}

/** Activations as the kernels round them: in 8 bits, with a scale for every group. */
function rounded(x: Float32Array, columns: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += columns)
    for (let from = 0; from < columns; from += GROUP) {
      const part = x.subarray(row + from, row + Math.min(from + GROUP, columns));
      const scale = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
      part.forEach((value, i) => {
        out[row + from + i] = scale === 0 ? 0 : Math.round(value / scale) * scale;
      });
    }
  return out;
}

function expected(shape: Shape, { weight, bias }: ReturnType<typeof product>, x: Float64Array): Float64Array {
  const { rows, columns } = shape;
  return Float64Array.from({ length: (x.length / columns) * rows }, (_, i) => {
    const [n, r] = [Math.floor(i / rows), i % rows];
    let sum = bias[r]!;
    for (let c = 0; c < columns; c++) sum += x[n * columns + c]! * weight[r * columns + c]!;
    return sum;
  });
}

async function run(file: string, x: Float32Array, columns: number, options: OrtOptions): Promise<Float32Array> {
  const session = await openOrt(file, { threads: 2, prepack: true, backend: "addon", ...options });
  const given = ortTensor("f32", [1, x.length / columns, columns], x);
  const { y } = await session.run({ x: given }, { y: null });
  // Once more, over what the first run has packed.
  expect((await session.run({ x: given }, { y: null })).y!.data).toEqual(y!.data);
  await session.close();
  return y!.data as Float32Array;
}

const inputs = (rows: number, columns: number) => {
  const next = numbers(rows + columns);
  return Float32Array.from({ length: rows * columns }, () => 4 * (next() - 0.5));
};

/** The largest difference, against the largest value where there is one. */
function worst(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let [most, scale] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const off = Math.abs(actual[i]! - wanted[i]!);
    most = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(most, off);
    scale = Math.max(scale, Math.abs(wanted[i]!));
  }
  return scale === 0 ? most : most / scale;
}

const SHAPES: readonly Shape[] = [
  { rows: 16, columns: 32, bits: 4 },
  { rows: 64, columns: 96, bits: 4, bias: true, halves: true },
  { rows: 77, columns: 320, bits: 4, bias: true },
  { rows: 5, columns: 40, bits: 4 },
  { rows: 1000, columns: 256, bits: 4, halves: true },
  { rows: 16, columns: 32, bits: 8 },
  { rows: 77, columns: 320, bits: 8, bias: true, halves: true },
  { rows: 9, columns: 100, bits: 8 },
  { rows: 1000, columns: 256, bits: 8, bias: true },
];

const status = ortAddonStatus();
const native = loadAddon().addon?.ort;
const names = native?.kernels() ?? [];

describe.skipIf(skipWithout(status.used))("kernels for packed weights", () => {
  describe.each(names)("%s", (name) => {
    test.each(SHAPES)("$rows × $columns in $bits bits", async (shape) => {
      native!.chooseKernel(name);
      try {
        const made = product(shape);
        for (const count of [1, 2, 3, 7, 8, 13, 29]) {
          const x = inputs(count, shape.columns);
          x.fill(0, 0, Math.min(GROUP, shape.columns)); // a group of zeros has no scale
          const wanted = expected(shape, made, rounded(x, shape.columns));
          // Half-way cases round either way: one step of one activation.
          expect(worst(await run(made.file, x, shape.columns, {}), wanted)).toBeLessThan(2e-3);
        }
      } finally {
        native!.chooseKernel(names[0]!);
      }
    });
  });

  // Few rows of a weight and many of activations: both are shared out.
  test.each([4, 8] as const)("in %s bits, a long prompt by a narrow weight is cut both ways", async (bits) => {
    const shape = { rows: 40, columns: 256, bits, bias: true } as const;
    const made = product(shape);
    const x = inputs(613, shape.columns);
    const wanted = expected(shape, made, rounded(x, shape.columns));
    for (const threads of [2, 9])
      expect(worst(await run(made.file, x, shape.columns, { threads }), wanted)).toBeLessThan(2e-3);
  });

  describe.each(names)("%s", (name) => {
    test.each([4, 8] as const)("in %s bits, what isn't finite comes out as NaN, in its row alone", async (bits) => {
      native!.chooseKernel(name);
      try {
        const shape = { rows: 40, columns: 96, bits, bias: true } as const;
        const made = product(shape);
        const x = inputs(15, shape.columns);
        const wild = new Map<number, number>([
          [0, Number.NaN],
          [5, Number.POSITIVE_INFINITY],
          [14, Number.NEGATIVE_INFINITY],
        ]);
        // First and last of a register and of a group; a later value must not hide it.
        for (const [row, value] of wild) x[row * shape.columns + [0, 39, 95][row % 3]!] = value;
        x.fill(1e-40, 7 * shape.columns, 7 * shape.columns + GROUP); // so small that 127 over it is infinite
        const y = await run(made.file, x, shape.columns, {});
        const wanted = expected(shape, made, rounded(x, shape.columns));
        for (let row = 0; row < 15; row++) {
          const [own, theirs] = [y, wanted].map((all) => all.slice(row * shape.rows, (row + 1) * shape.rows));
          if (wild.has(row)) expect([...own!].every(Number.isNaN)).toBe(true);
          else expect(worst(own!, theirs!)).toBeLessThan(2e-3);
        }
      } finally {
        native!.chooseKernel(names[0]!);
      }
    });
  });

  test.each([4, 8] as const)("in %s bits they are the runtime's own numbers", async (bits) => {
    const shape = { rows: 96, columns: 512, bits, bias: true } as const;
    const made = product(shape);
    const x = inputs(3, shape.columns);
    const theirs = await run(made.file, x, shape.columns, { kernels: false });
    expect(worst(await run(made.file, x, shape.columns, {}), theirs)).toBeLessThan(2e-3);
  });

  test.each([0, 1, 4] as const)("activations are as exact as level %s asks for", async (level) => {
    const shape = { rows: 40, columns: 96, bits: 4, level, bias: true } as const;
    const made = product(shape);
    const x = inputs(3, shape.columns);
    const off = worst(await run(made.file, x, shape.columns, {}), expected(shape, made, Float64Array.from(x)));
    if (level === 4) expect(off).toBeGreaterThan(1e-4);
    else expect(off).toBeLessThan(1e-5);
  });

  const others: readonly (readonly [string, Partial<Shape>])[] = [
    ["zero points", { zeros: true }],
    ["columns in another order", { reversed: true }],
  ];
  test.each(others)("weights with %s are left to the runtime", async (_, other) => {
    const shape = { rows: 64, columns: 128, bits: 4, ...other } as const;
    const made = product(shape);
    const x = inputs(2, shape.columns);
    const y = await run(made.file, x, shape.columns, {});
    expect(worst(y, await run(made.file, x, shape.columns, { kernels: false }))).toBe(0);
    expect(worst(y, expected(shape, made, rounded(x, shape.columns)))).toBeLessThan(2e-2);
  });
});
