import type { Row } from "@llm/target";
import { expect, test } from "vitest";
import { inPieces, tokensAtOnce, wholeUpTo } from "./pieces.ts";

const row = (length: number, more: Partial<Row> = {}): Row => ({
  slot: 3,
  at: 10,
  tokens: Int32Array.from({ length }, (_, i) => i),
  ...more,
});

test("short rows stay as they are", () => {
  const given = [row(1), row(4)];
  expect(inPieces(given, () => 4).rows).toEqual(given);
});

test("long ones are cut into equal pieces, each as far along the same prompt", () => {
  const { rows } = inPieces([row(10, { adapter: 2 })], (total) => (total === 20 ? 4 : 99));
  expect(rows.map(({ at, tokens }) => [at, ...tokens])).toEqual([
    [10, 0, 1, 2],
    [13, 3, 4, 5],
    [16, 6, 7, 8, 9],
  ]);
  for (const piece of rows) expect(piece).toMatchObject({ slot: 3, reach: 20, adapter: 2 });
  expect(inPieces([row(10, { reach: 77 })], () => 4).rows.map(({ reach }) => reach)).toEqual([77, 77, 77]);
});

test.each([1, 4, 5, 10])("what is wanted of the last %i tokens is asked of the pieces that have them", (last) => {
  const want = { kind: "top", k: 2, last } as const;
  const { rows, join } = inPieces([row(2), row(10, { want })], () => 4);
  const answered = rows.flatMap((piece) => {
    const from = piece.tokens.length - (piece.want?.last ?? 0);
    return piece.want ? [[...piece.tokens.subarray(from)]] : [];
  });
  expect(answered.flat()).toEqual(Array.from({ length: last }, (_, i) => 10 - last + i));
  const results = rows.map(({ tokens, want: wanted }) => {
    if (!wanted) return {};
    const ids = tokens.subarray(tokens.length - wanted.last);
    return { top: { ids, logits: Float32Array.from(ids), logSumExp: Float32Array.from(ids, (id) => -id) } };
  });
  const [nothing, joined] = join(results);
  const ids = Int32Array.from({ length: last }, (_, i) => 10 - last + i);
  expect(nothing).toEqual({});
  expect(joined).toEqual({
    top: { ids, logits: Float32Array.from(ids), logSumExp: Float32Array.from(ids, (id) => -id) },
  });
});

test("logits that lie one after another are not copied", () => {
  const memory = new Float32Array(12);
  const { join } = inPieces([row(8, { want: { kind: "logits", last: 8 } })], () => 4);
  const [{ logits }] = join([{ logits: memory.subarray(2, 6) }, { logits: memory.subarray(6, 10) }]) as [
    { logits: Float32Array },
  ];
  expect([logits.buffer, logits.byteOffset, logits.length]).toEqual([memory.buffer, 8, 8]);
});

test("scores take 256 MB at most, but for the longest contexts, where 32 tokens go at once", () => {
  const [width, heads] = [4096, 64];
  for (const total of [512, 2048, 8192, 32_768]) {
    const tokens = tokensAtOnce(width, total);
    expect(tokens * heads * total * 4).toBeLessThanOrEqual(2 ** 28);
    expect((tokens + 1) * heads * total * 4).toBeGreaterThan(2 ** 28);
  }
  expect(tokensAtOnce(width, 1 << 20)).toBe(32);
  expect(tokensAtOnce(width, wholeUpTo(width, 512))).toBeGreaterThanOrEqual(512);
  expect(tokensAtOnce(width, wholeUpTo(width, 512) + 1)).toBeLessThan(512);
});
