import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shapeOf } from "../expr/shape-of.ts";
import { simplify } from "../expr/simplify.ts";
import { weights as w } from "../expr/weights.ts";
import { bf16ToF32 } from "../half.ts";
import { locate } from "../locate.ts";
import { memorySource } from "../memory-source.ts";
import type { WeightSource } from "../source.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { arbitraryExpr, STORED } from "../testing/arbitrary-expr.test.support.ts";
import { evaluate } from "../testing/evaluate.test.support.ts";
import type { WeightExpr } from "../weight-expr.ts";
import { read, type StreamOptions, stream } from "./read.ts";

const source = memorySource(STORED);

async function streamed(
  expr: WeightExpr,
  from: WeightSource,
  chunkBytes: number,
  options: StreamOptions = {},
): Promise<number[]> {
  const bytes: number[] = [];
  for await (const chunk of stream(expr, from, "f32", { ...options, chunkBytes })) {
    expect(chunk.length).toBeLessThanOrEqual(chunkBytes);
    bytes.push(...chunk);
  }
  return [...new Float32Array(Uint8Array.from(bytes).buffer)];
}

describe("any expression", () => {
  test("reads as its operations say, one by one", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryExpr(), async (expr) => {
        const found = await read(expr, source, "f32");
        expect(found.shape).toEqual(shapeOf(expr));
        expect([...found.data]).toEqual(evaluate(expr, STORED));
      }),
      { numRuns: 400 },
    );
  });

  test("streams the same in chunks of any size", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryExpr(), fc.integer({ min: 4, max: 200 }), async (expr, chunk) => {
        expect(await streamed(expr, source, chunk)).toEqual(evaluate(expr, STORED));
      }),
      { numRuns: 200 },
    );
  });

  test("streams the same where memory is used again", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryExpr(), fc.integer({ min: 4, max: 200 }), async (expr, chunk) => {
        expect(await streamed(expr, source, chunk, { reuse: true })).toEqual(evaluate(expr, STORED));
      }),
      { numRuns: 200 },
    );
  });

  test("means the same when simplified", () => {
    fc.assert(
      fc.property(arbitraryExpr(5), (expr) => {
        const simple = simplify(expr);
        expect(shapeOf(simple)).toEqual(shapeOf(expr));
        expect(evaluate(simple, STORED)).toEqual(evaluate(expr, STORED));
        expect(simplify(simple)).toEqual(simple);
      }),
      { numRuns: 400 },
    );
  });

  test("lies where locate says, if it says so", async () => {
    let located = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryExpr(), async (expr) => {
        const span = locate(expr, source, "f32");
        expect(locate(expr, source, "f16")).toBeUndefined();
        if (!span) return;
        located++;
        const bytes = new Uint8Array(span.length);
        await source.read(span, bytes);
        expect([...new Float32Array(bytes.buffer)]).toEqual(evaluate(expr, STORED));
      }),
      { numRuns: 400 },
    );
    expect(located).toBeGreaterThan(40);
  });
});

const random = fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 });

describe("stored tensors", () => {
  // A view inside a pickle: elements of one storage, anywhere.
  test("views with strides, expanded axes included", async () => {
    const storage = Float32Array.from({ length: 60 }, (_, i) => i);
    const bytes = new Uint8Array(storage.buffer);
    for (const [shape, strides] of [
      [
        [5, 12],
        [1, 5],
      ],
      [
        [3, 4],
        [20, 3],
      ],
      [
        [2, 3, 5],
        [1, 20, 2],
      ],
      [
        [4, 5],
        [0, 1],
      ],
      [[60], [1]],
      [[], []],
    ] as const) {
      const view = memorySource({ x: { shape, strides, format: "f32", parts: { data: bytes } } });
      const expected: number[] = [];
      const walk = (axis: number, at: number): void => {
        if (axis === shape.length) expected.push(storage[at]!);
        else for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, at + i * strides[axis]!);
      };
      walk(0, 0);
      expect([...(await read(w.tensor("x", shape), view, "f32")).data]).toEqual(expected);
      expect(await streamed(w.tensor("x", shape), view, 12)).toEqual(expected);
    }
  });

  test("rows in another order than they are stored", async () => {
    const dense = tensor(
      "f32",
      [6, 2],
      Float32Array.from({ length: 12 }, (_, i) => i),
    );
    const bytes = new Uint8Array(dense.data.buffer);
    // Rows 0 2 4 1 3 5, then as runs: two halves interleaved.
    const rows = [{ start: 0, shape: [2, 3], strides: [1, 2] }];
    const view = memorySource({ x: { shape: [6, 2], rows, format: "f32", parts: { data: bytes } } });
    const expr = w.tensor("x", [6, 2]);
    const order = [0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11];
    expect([...(await read(expr, view, "f32")).data]).toEqual(order);
    expect([...(await read(w.slice(expr, 0, 2, 5), view, "f32")).data]).toEqual(order.slice(4, 10));
    expect(await streamed(w.permute(expr, [1, 0]), view, 8)).toEqual([0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11]);
    expect(locate(expr, view, "f32")).toBeUndefined();
    expect(locate(w.slice(expr, 0, 1, 2), view, "f32")).toMatchObject({ offset: 16, length: 8 });
  });

  test("any order of rows, strided or not, read in any piece", async () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
    const bounds = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(3), fc.nat(3));
    await fc.assert(
      fc.asyncProperty(order, bounds, fc.boolean(), async (from, [a, b, c, d], turned) => {
        const storage = Float32Array.from({ length: 24 }, (_, i) => i);
        const rows = from.map((start) => ({ start, shape: [1], strides: [1] }));
        const strides = turned ? [1, 6] : [4, 1];
        const parts = { data: new Uint8Array(storage.buffer) };
        const view = memorySource({ x: { shape: [6, 4], strides, rows, format: "f32", parts } });
        const [top, bottom, left, right] = [Math.min(a, b), Math.max(a, b) + 1, Math.min(c, d), Math.max(c, d) + 1];
        const expr = w.slice(w.slice(w.tensor("x", [6, 4]), 0, top, bottom), 1, left, right);
        const expected = [];
        for (let row = top; row < bottom; row++)
          for (let column = left; column < right; column++)
            expected.push(from[row]! * strides[0]! + column * strides[1]!);
        expect([...(await read(expr, view, "f32")).data]).toEqual(expected);
        const span = locate(expr, view, "f32");
        if (span) expect([span.offset / 4, span.length / 4]).toEqual([expected[0], expected.length]);
      }),
    );
  });

  test("runs of rows along several axes, from any row to any other", async () => {
    const parts = { data: new Uint8Array(Float32Array.from({ length: 24 }, (_, i) => i).buffer) };
    const rows = [{ start: 0, shape: [3, 2, 4], strides: [4, 12, 1] }];
    const order = [0, 1, 2].flatMap((a) => [0, 1].flatMap((b) => [0, 1, 2, 3].map((c) => 4 * a + 12 * b + c)));
    const view = memorySource({ x: { shape: [24], rows, format: "f32", parts } });
    for (let from = 0; from < 24; from++)
      for (let to = from + 1; to <= 24; to++) {
        const { data } = await read(w.slice(w.tensor("x", [24]), 0, from, to), view, "f32");
        expect([...data]).toEqual(order.slice(from, to));
      }
  });

  test("strides that make no sense are refused", async () => {
    const parts = { data: new Uint8Array(16) };
    for (const strides of [[-1], [0.5], [1, 1]]) {
      const odd = memorySource({ x: { shape: [4], strides, format: "f32", parts } });
      await expect(read(w.tensor("x", [4]), odd, "f32")).rejects.toMatchObject({ code: "stored-invalid" });
    }
  });

  test("values stored shifted come back as they were", async () => {
    const shifted = memorySource({
      norm: {
        shape: [3],
        shift: -1,
        format: "f32",
        parts: { data: new Uint8Array(Float32Array.of(1, 1.5, 0).buffer) },
      },
    });
    expect([...(await read(w.tensor("norm", [3]), shifted, "f32")).data]).toEqual([0, 0.5, -1]);
    expect(locate(w.tensor("norm", [3]), shifted, "f32")).toBeUndefined();
  });

  test("a file that is shorter than its tensor is refused before anything is read", async () => {
    const short = memorySource({ x: { shape: [4], format: "f32", parts: { data: new Uint8Array(12) } } });
    await expect(read(w.tensor("x", [4]), short, "f32")).rejects.toMatchObject({
      code: "stored-invalid",
      message: "x: [4] of f32 doesn't fit into the 3 elements stored",
    });
  });

  test("missing and wrongly shaped tensors are named", async () => {
    await expect(read(w.tensor("nope", [4]), source, "f32")).rejects.toThrow("the checkpoint lacks nope");
    await expect(read(w.tensor("t2", [4]), source, "f32")).rejects.toThrow("t2 is [4, 6] in the checkpoint, not [4]");
  });
});

test("a wide transpose is read in tiles, each column once", async () => {
  const rows = 700;
  const columns = 333;
  const dense = tensor(
    "u16",
    [rows, columns],
    Uint16Array.from({ length: rows * columns }, (_, i) => i % 65521),
  );
  const wide = memorySource({ x: dense });
  const found = await read(w.permute(w.tensor("x", [rows, columns]), [1, 0]), wide, "u16");
  for (let c = 0; c < columns; c++)
    for (let r = 0; r < rows; r++)
      if (found.data[c * rows + r] !== dense.data[r * columns + c]) expect.fail(`at ${c}, ${r}`);
});

test("rows' norms are sums over all of a row", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(random, { minLength: 12, maxLength: 12 }), async (values) => {
      const x: Tensor = tensor("f32", [3, 4], Float32Array.from(values));
      const found = await read(w.rowNorm(w.tensor("x", [3, 4])), memorySource({ x }), "f32");
      const expected = [0, 4, 8].map((at) => Math.fround(Math.hypot(...values.slice(at, at + 4))));
      for (const [i, norm] of expected.entries()) expect(found.data[i]).toBeCloseTo(norm, 4);
    }),
  );
});

test("mixed dtypes meet in the dtype that is asked for", async () => {
  const mixed = memorySource({
    a: tensor("bf16", [1, 2], Uint16Array.of(0x3f80, 0x4000)),
    b: tensor("f16", [1, 2], Uint16Array.of(0x3c00, 0x3800)),
  });
  const both = w.concat([w.tensor("a", [1, 2]), w.tensor("b", [1, 2])], 0);
  const { data } = await read(both, mixed, "bf16");
  expect([...bf16ToF32(data as Uint16Array)]).toEqual([1, 2, 1, 0.5]);
  expect(locate(both, mixed, "bf16")).toBeUndefined();
});

test("what overflows on the way to fp16 is counted, streamed or not", async () => {
  const large = memorySource({ x: tensor("bf16", [2, 2], Uint16Array.of(0x4780, 0x3f80, 0xc780, 0x7f80)) }); // ±65536, 1, ∞
  const x = w.tensor("x", [2, 2]);
  const loss = { overflowed: 0 };
  await read(x, large, "f16", { loss });
  expect(loss.overflowed).toBe(2);
  await Array.fromAsync(stream(w.permute(x, [1, 0]), large, "f16", { chunkBytes: 2, loss }));
  expect(loss.overflowed).toBe(4);
  await read(x, large, "f32", { loss });
  expect(loss.overflowed).toBe(4);
});

test("constants", async () => {
  const slopes = w.constant("f32", [2, 2], [0.5, 0.25, 0.125, 1]);
  expect([...(await read(w.slice(slopes, 1, 0, 1), source, "f32")).data]).toEqual([0.5, 0.125]);
});

test("a stream stops when told to", async () => {
  const abort = new AbortController();
  const chunks = stream(w.tensor("t4", [2, 3, 4]), source, "f32", { chunkBytes: 8, signal: abort.signal });
  await chunks.next();
  abort.abort(new Error("enough"));
  await expect(Array.fromAsync(chunks)).rejects.toThrow("enough");
});

test("memory sources with equal tensors have equal fingerprints", () => {
  const other = { ...STORED, t0: tensor("f32", [], Float32Array.of(9)) };
  expect(memorySource(STORED).fingerprint).toBe(source.fingerprint);
  expect(memorySource(other).fingerprint).not.toBe(source.fingerprint);
});
