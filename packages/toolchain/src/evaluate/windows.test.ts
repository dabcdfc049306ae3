import { describe, expect, it } from "vitest";
import type { Piece } from "./documents.ts";
import { type Window, windowsOf } from "./windows.ts";

async function* pieces(...lengths: readonly (readonly [start: number, length: number, starts?: boolean])[]) {
  for (const [start, length, starts = false] of lengths)
    yield { ids: Int32Array.from({ length }, (_, i) => start + i), starts, bytes: start + length } satisfies Piece;
}

async function cut(source: AsyncIterable<Piece>, context: number, stride: number): Promise<Window[]> {
  const windows: Window[] = [];
  for await (const window of windowsOf(source, { context, stride })) windows.push(window);
  return windows;
}

/** The loop in transformers' page "Perplexity of fixed-length models", in its words. */
function published(
  length: number,
  maxLength: number,
  stride: number,
): [begin: number, end: number, predicted: number][] {
  const windows: [number, number, number][] = [];
  let previousEnd = 0;
  for (let begin = 0; begin < length; begin += stride) {
    const end = Math.min(begin + maxLength, length);
    const targets = end - previousEnd;
    // The first of a window is shifted out: nothing comes before it.
    windows.push([begin, end, Math.min(targets, end - begin - 1)]);
    previousEnd = end;
    if (end === length) break;
  }
  return windows.filter(([, , predicted]) => predicted > 0);
}

describe("windows over a text", () => {
  it.each([
    [100, 16, 16],
    [100, 16, 8],
    [97, 16, 5],
    [16, 16, 16],
    [17, 16, 16],
    [5, 16, 4],
    [33, 16, 1],
  ])(
    "of %i tokens, %i long and %i apart, are those of transformers' documentation",
    async (length, context, stride) => {
      const parts = Array.from({ length: Math.ceil(length / 7) }, (_, i): [number, number, boolean] => [
        i * 7,
        Math.min(7, length - i * 7),
        i === 0,
      ]);
      const windows = await cut(pieces(...parts), context, stride);
      const found = windows.map(({ ids, from }) => [ids[0], ids.at(-1)! + 1, ids.length - from]);
      expect(found).toEqual(published(length, context, stride));
    },
  );

  it("don't cross from one text to the next", async () => {
    const windows = await cut(pieces([0, 6, true], [100, 5, true], [200, 1, true]), 4, 4);
    expect(windows.map(({ ids }) => [...ids])).toEqual([
      [0, 1, 2, 3],
      [4, 5],
      [100, 101, 102, 103],
    ]);
  });

  it("begin before the text has ended", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Piece> {
      for (;;) yield { ids: new Int32Array(50).fill(given++), starts: given === 1, bytes: given };
    }
    for await (const { ids } of windowsOf(endless(), { context: 32, stride: 32 })) if (ids[0]! >= 40) break;
    expect(given).toBeLessThan(45);
  });
});
