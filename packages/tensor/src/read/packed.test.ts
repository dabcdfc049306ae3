import { describe, expect, test } from "vitest";
import { convert } from "../convert.ts";
import { weights as w } from "../expr/weights.ts";
import { codecOf } from "../formats/index.ts";
import { locate } from "../locate.ts";
import { memorySource } from "../memory-source.ts";
import type { Span, WeightSource } from "../source.ts";
import { tensor } from "../tensor.ts";
import { read, stream } from "./read.ts";

const rows = 6;
const columns = 64;
const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i) * (1 + (i % 7)));
const source = memorySource({ x: tensor("f32", [rows, columns], values) });
const x = w.tensor("x", [rows, columns]);

test("an encoded weight read as floats is rounded, read packed is the bytes", async () => {
  const spec = { format: "mxint8" };
  const codec = codecOf(spec);
  const expected = values.slice();
  codec.round(expected, rows, columns);
  const encoded = w.encode(x, spec);
  expect((await read(encoded, source, "f32")).data).toEqual(expected);
  // A cut through a block still sees the whole block's scale.
  const cut = await read(w.slice(encoded, 1, 3, 40), source, "f32");
  for (let row = 0; row < rows; row++)
    expect([...cut.data.subarray(row * 37, (row + 1) * 37)]).toEqual([
      ...expected.subarray(row * columns + 3, row * columns + 40),
    ]);
  const data = await read(encoded, source, spec as { format: "mxint8" });
  const scales = await read(x, source, { ...spec, part: "scales" });
  expect(data).toMatchObject({ dtype: "i8", shape: [rows, columns] });
  expect(scales).toMatchObject({ dtype: "u8", shape: [rows, 2] });
  expect(codec.decode({ data: data.data, scales: scales.data }, rows, columns)).toEqual(expected);
});

test("leading axes stay as they are", async () => {
  const experts = w.reshape(x, [2, 3, 64]);
  const scales = await read(experts, source, { format: "int4", group: 32, part: "scales" });
  expect(scales).toMatchObject({ dtype: "f16", shape: [2, 3, 2] });
});

test("streams of packed bytes come in chunks, and the same", async () => {
  const packing = { format: "mxfp6_e3m2" };
  const whole = await read(x, source, packing);
  const chunks = await Array.fromAsync(stream(x, source, packing, { chunkBytes: 10 }));
  expect(Math.max(...chunks.map(({ length }) => length))).toBe(10);
  expect(Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))).toEqual(whole.data);
});

test("a part that isn't there is named", async () => {
  await expect(read(x, source, { format: "mxfp4", part: "zeros" })).rejects.toThrow(
    "mxfp4 has no part zeros; it has data, scales",
  );
});

describe("stored blocks", () => {
  const packed = codecOf({ format: "q8_0" }).encode(values, rows, columns).data as Uint8Array;
  const rowBytes = packed.length / rows;
  const stored = memorySource({ x: { shape: [rows, columns], format: "q8_0", parts: { data: packed } } });

  test("decode to the same values wherever a piece starts", async () => {
    const all = codecOf({ format: "q8_0" }).decode({ data: packed }, rows, columns);
    expect((await read(x, stored, "f32")).data).toEqual(all);
    const column = await read(w.slice(x, 1, 31, 33), stored, "f32");
    expect([...column.data].slice(2, 4)).toEqual([all[columns + 31], all[columns + 32]]);
    const transposed = await read(w.permute(x, [1, 0]), stored, "f32");
    expect(transposed.data[1]).toBe(all[columns]);
  });

  test("stay where they are in whole rows and whole blocks", () => {
    expect(locate(x, stored, "q8_0")).toMatchObject({ offset: 0, length: packed.length });
    expect(locate(w.slice(x, 0, 2, 4), stored, "q8_0")).toMatchObject({ offset: 2 * rowBytes, length: 2 * rowBytes });
    expect(locate(w.slice(w.slice(x, 0, 1, 2), 1, 32, 64), stored, "q8_0")).toMatchObject({ length: 34 });
    expect(locate(w.slice(w.slice(x, 0, 1, 2), 1, 16, 48), stored, "q8_0")).toBeUndefined();
    expect(locate(x, stored, "q4_0")).toBeUndefined();
    expect(locate(x, stored, "f32")).toBeUndefined();
  });

  test("stored the other way round, they are put right while they are decoded", async () => {
    const turned = memorySource({
      x: { shape: [columns, rows], strides: [1, columns], format: "q8_0", parts: { data: packed } },
    });
    const expr = w.tensor("x", [columns, rows]);
    const all = codecOf({ format: "q8_0" }).decode({ data: packed }, rows, columns);
    const { data } = await read(expr, turned, "f32");
    for (let n = 0; n < data.length; n++) expect(data[n]).toBe(all[(n % rows) * columns + Math.floor(n / rows)]);
    expect(locate(expr, turned, "q8_0")).toBeUndefined();
    expect(locate(w.permute(expr, [1, 0]), turned, "q8_0")).toMatchObject({ length: packed.length });
  });

  test("move as bytes when rows do, without being decoded", async () => {
    const swapped = w.concat([w.slice(x, 0, 3, 6), w.slice(x, 0, 0, 3)], 0);
    expect(locate(swapped, stored, "q8_0")).toBeUndefined();
    const { data } = await read(swapped, stored, "q8_0");
    expect(data).toEqual(Uint8Array.from([...packed.subarray(3 * rowBytes), ...packed.subarray(0, 3 * rowBytes)]));
    const half = await read(w.slice(x, 1, 32, 64), stored, "q8_0");
    expect(half.data.subarray(0, 34)).toEqual(packed.subarray(34, 68));
  });

  test("rows that a file has in another order stay packed", async () => {
    const order = [{ start: 0, shape: [3, 2], strides: [1, 3] }]; // 0 3 1 4 2 5
    const mixed = memorySource({ x: { shape: [rows, columns], rows: order, format: "q8_0", parts: { data: packed } } });
    const { data } = await read(x, mixed, "q8_0");
    expect(data.subarray(rowBytes, 2 * rowBytes)).toEqual(packed.subarray(3 * rowBytes, 4 * rowBytes));
  });
});

describe("what is read of a file", () => {
  /** A file of one tensor that counts its readers. */
  function counting(shape: readonly number[]): WeightSource & { reads: Span[] } {
    const reads: Span[] = [];
    const data = { file: "/x", offset: 0, length: shape.reduce((a, b) => a * b) };
    return {
      reads,
      fingerprint: "x",
      names: () => ["x"],
      get: () => ({ name: "x", shape, format: "u8", parts: { data } }),
      read: async (span, into) => {
        reads.push(span);
        for (let i = 0; i < into.length; i++) into[i] = (span.offset + i) % 251;
      },
    };
  }
  const total = (reads: readonly Span[]) => reads.reduce((sum, { length }) => sum + length, 0);

  test("far apart: only what is wanted", async () => {
    const wide = counting([8, 100_000]);
    const { data } = await read(w.slice(w.tensor("x", [8, 100_000]), 1, 10, 20), wide, "u8");
    expect(total(wide.reads)).toBe(80);
    for (let n = 0; n < 80; n++) expect(data[n]).toBe((100_000 * Math.floor(n / 10) + 10 + (n % 10)) % 251);
  });

  test("close together: in few calls, along with the gaps", async () => {
    const narrow = counting([1000, 100]);
    const { data } = await read(w.slice(w.tensor("x", [1000, 100]), 1, 0, 50), narrow, "u8");
    expect(narrow.reads.length).toBe(1);
    for (let n = 0; n < data.length; n += 97) expect(data[n]).toBe((100 * Math.floor(n / 50) + (n % 50)) % 251);
  });

  test("much larger than a call may be: piece by piece, transposed or not", async () => {
    const shape = [3000, 7001];
    for (const expr of [w.tensor("x", shape), w.permute(w.tensor("x", shape), [1, 0])]) {
      const large = counting(shape);
      let at = 0;
      for await (const chunk of stream(expr, large, "u8", { chunkBytes: 2 ** 22 })) {
        for (let i = 0; i < chunk.length; i += 4999) {
          const n = at + i;
          const stored = expr.op === "permute" ? (n % 3000) * 7001 + Math.floor(n / 3000) : n;
          if (chunk[i] !== stored % 251) expect.fail(`byte ${n}`);
        }
        at += chunk.length;
      }
      expect(at).toBe(3000 * 7001);
      expect(Math.max(...large.reads.map(({ length }) => length))).toBeLessThanOrEqual(8 * 2 ** 20);
    }
  });
});

test.each([
  { packing: { format: "q8_0" } as const, stored: "f32" as const },
  { packing: { format: "int8", part: "scales" } as const, stored: "f32" as const },
  { packing: "f16" as const, stored: "bf16" as const },
  { packing: "bf16" as const, stored: "f16" as const },
  { packing: "f32" as const, stored: "f16" as const },
])("$stored streamed as $packing is the same where memory is used again, in one piece of memory", async (one) => {
  const floats = Float32Array.from({ length: 64 * 96 }, (_, i) => Math.fround(Math.sin(i)));
  const stored = memorySource({ w: convert(tensor("f32", [64, 96], floats), one.stored) });
  const weight = w.tensor("w", [64, 96]);
  const collect = async (reuse: boolean) => {
    const bytes: number[] = [];
    const buffers = new Set<ArrayBufferLike>();
    for await (const chunk of stream(weight, stored, one.packing, { chunkBytes: 512, reuse })) {
      bytes.push(...chunk);
      buffers.add(chunk.buffer);
    }
    return { bytes, buffers: buffers.size };
  };
  const [kept, reused] = [await collect(false), await collect(true)];
  expect(reused.bytes).toEqual(kept.bytes);
  if (typeof one.packing === "string") expect(reused.buffers).toBe(1);
});
