import { describe, expect, it } from "vitest";
import { memorySource } from "../memory-source.ts";
import type { WeightExpr } from "../weight-expr.ts";
import { read, stream } from "./read.ts";

/** One byte by the rules of the format: a sign, four bits of exponent with bias 7, three of fraction. */
function byRule(code: number): number {
  const [sign, exponent, fraction] = [code >> 7 ? -1 : 1, (code >> 3) & 15, code & 7];
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return sign * (exponent === 0 ? (fraction / 8) * 2 ** -6 : (1 + fraction / 8) * 2 ** (exponent - 7));
}

const [ROWS, COLUMNS] = [5, 7];
const codes = Uint8Array.from({ length: ROWS * COLUMNS }, (_, i) => (i * 37 + 5) % 0x7f);
const scales = Float32Array.from({ length: 9 }, (_, i) => 0.5 + i / 3); // tiles of 2 × 3: 3 × 3 of them
const valueAt = (row: number, column: number) =>
  Math.fround(byRule(codes[row * COLUMNS + column]!) * scales[Math.floor(row / 2) * 3 + Math.floor(column / 3)]!);

const source = memorySource({
  all: { shape: [256], format: "f8_e4m3", parts: { data: Uint8Array.from({ length: 256 }, (_, i) => i) } },
  plain: { shape: [ROWS, COLUMNS], format: "f8_e4m3", parts: { data: codes } },
  tiled: {
    shape: [ROWS, COLUMNS],
    format: "f8_e4m3",
    parts: { data: codes, scales: new Uint8Array(scales.buffer) },
    params: { tileRows: 2, tileColumns: 3, scales: "f32" },
  },
});
const tiled: WeightExpr = { op: "tensor", name: "tiled", shape: [ROWS, COLUMNS] };

async function values(expr: WeightExpr): Promise<number[]> {
  return Array.from((await read(expr, source, "f32")).data as Float32Array);
}

const box = (rows: readonly number[], columns: readonly number[]) =>
  rows.flatMap((row) => columns.map((column) => valueAt(row, column)));
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe("FP8", () => {
  it("has the values of E4M3, NaN included", async () => {
    expect(await values({ op: "tensor", name: "all", shape: [256] })).toEqual(range(0, 256).map(byRule));
    expect([0x38, 0x7e, 0x01, 0xb8].map(byRule)).toEqual([1, 448, 2 ** -9, -1]);
  });

  it("is multiplied by its tiles' scales, whole and in any part", async () => {
    expect(await values(tiled)).toEqual(box(range(0, ROWS), range(0, COLUMNS)));
    expect(await values({ op: "slice", of: tiled, axis: 0, start: 1, end: 4 })).toEqual(
      box(range(1, 4), range(0, COLUMNS)),
    );
    const corner: WeightExpr = { op: "slice", of: tiled, axis: 1, start: 2, end: 6 };
    expect(await values({ op: "slice", of: corner, axis: 0, start: 3, end: 5 })).toEqual(box([3, 4], range(2, 6)));
  });

  it("can be turned, with scales and without", async () => {
    const turned = (of: WeightExpr): WeightExpr => ({ op: "permute", of, perm: [1, 0] });
    expect(await values(turned(tiled))).toEqual(range(0, COLUMNS).flatMap((c) => box(range(0, ROWS), [c])));
    const plain = await values(turned({ op: "tensor", name: "plain", shape: [ROWS, COLUMNS] }));
    expect(plain.slice(0, ROWS)).toEqual(range(0, ROWS).map((row) => byRule(codes[row * COLUMNS]!)));
  });

  it("streams the same in chunks that end anywhere", async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream(tiled, source, "f32", { chunkBytes: 12 })) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(5);
    const joined = Uint8Array.from(Buffer.concat(chunks));
    expect(Array.from(new Float32Array(joined.buffer))).toEqual(await values(tiled));
  });

  it("is refused with scales of tiles that nobody gave a size", async () => {
    const broken = memorySource({
      tiled: { shape: [2, 2], format: "f8_e4m3", parts: { data: codes.slice(0, 4), scales: new Uint8Array(4) } },
    });
    await expect(read({ op: "tensor", name: "tiled", shape: [2, 2] }, broken, "f32")).rejects.toMatchObject({
      code: "stored-invalid",
    });
  });
});
