import { expect, test } from "vitest";
import { spareShare } from "./memory.ts";
import { roomOnOpening } from "./room.ts";

const GB = 1e9;
const finished = { weights: 4 * GB, token: 100_000, most: 131_072 };

function opened(options: { ctxLen?: number; batchSize?: number }, memory = 16 * GB) {
  const notes: string[] = [];
  const asked = { ctxLen: 0, batchSize: 1, ...options };
  return { context: roomOnOpening(asked, finished, (note) => notes.push(note), memory), notes };
}

test("a model whose cache fits is given all of its context, and nothing is said", () => {
  expect(opened({}, 64 * GB)).toEqual({ context: 131_072, notes: [] });
});

test("one whose cache doesn't is given what memory holds, which is said with what all would take", () => {
  const { context, notes } = opened({ batchSize: 8 });
  const room = 16 * GB * (1 - spareShare()) - 4 * GB - (160 << 20);
  expect(context).toBe(Math.floor(room / 800_000));
  expect(notes).toEqual([
    expect.stringMatching(`^using --ctx-len ${context} of 131072, 1[46]\\.[0-9] GB; all of it would need 109\\.0 GB$`),
  ]);
});

test("what is asked for is given", () => {
  expect(opened({ ctxLen: 4096 })).toEqual({ context: 4096, notes: [] });
  expect(opened({ ctxLen: 131_072, batchSize: 8 })).toEqual({ context: 131_072, notes: [] });
  expect(() => opened({ ctxLen: 131_073 })).toThrow("--ctx-len 131073: this model takes at most 131072 tokens");
});

test("where not even a short context fits, that is said of it", () => {
  const { context, notes } = opened({}, 3 * GB);
  expect(context).toBe(512);
  expect(notes).toEqual(["--ctx-len 512 doesn't fit: it takes 4.2 GB of memory and there are 3.0 GB"]);
});
