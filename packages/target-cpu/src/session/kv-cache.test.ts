import { describe, expect, test } from "vitest";
import { grownCapacity, KvCache } from "./kv-cache.ts";

const states = [
  { name: "keys", dtype: "f32", shape: ["batch", 2, "context", 4] },
  { name: "latent", dtype: "f32", shape: ["batch", "context", 3] },
] as const;

/** Before anything was written. */
const nothing = () => 0;

/** Writes a number that tells slot, head and column into every value of a slot's first columns. */
function mark(cache: KvCache, slot: number, columns: number, by: number): void {
  const { keys } = cache.view(slot, 1);
  for (let head = 0; head < 2; head++)
    for (let column = 0; column < columns; column++) {
      const at = (head * cache.capacity + column) * 4;
      keys!.data.fill((by * 1000 + head * 500 + column) as never, at, at + 4);
    }
}

/** What a slot's columns hold, both heads after one another. */
function columns(cache: KvCache, slot: number, count: number): number[] {
  const data = cache.view(slot, 1).keys!.data as Float32Array;
  const head = (index: number) =>
    Array.from({ length: count }, (_, column) => data[(index * cache.capacity + column) * 4]!);
  return [...head(0), ...head(1)];
}

const marked = (by: number, count: number) => [
  ...Array.from({ length: count }, (_, column) => by * 1000 + column),
  ...Array.from({ length: count }, (_, column) => by * 1000 + 500 + column),
];

describe("room", () => {
  test("grows in steps, by a quarter at least, and never past the most", () => {
    expect(grownCapacity(0, 1, 4097)).toBe(128);
    expect(grownCapacity(128, 129, 4097)).toBe(256);
    expect(grownCapacity(1024, 1025, 4097)).toBe(1280);
    expect(grownCapacity(4000, 4001, 4097)).toBe(4097);
    expect(grownCapacity(512, 100, 4097)).toBe(512);
    expect(grownCapacity(0, 10, 17)).toBe(17);
  });

  // No machine promises memory for so many columns: then each growth copies.
  test.each([1000, 2 ** 40])("keeps what is held, and new columns are what was asked for: at most %i", (most) => {
    const cache = new KvCache(states, 3, most, Number.NaN);
    cache.reserve(10, nothing);
    for (const slot of [0, 1, 2]) mark(cache, slot, 10, slot);
    cache.reserve(200, () => 10);
    expect(cache.capacity).toBe(256);
    for (const slot of [0, 1, 2]) expect(columns(cache, slot, 10)).toEqual(marked(slot, 10));
    expect(columns(cache, 1, 11)[10]).toBeNaN();
    cache.reserve(300, (slot) => 3 * slot);
    for (const slot of [0, 1, 2]) expect(columns(cache, slot, 3 * slot)).toEqual(marked(slot, 3 * slot));
    expect(columns(cache, 2, 7)[6]).toBeNaN(); // nobody said that it is held
    expect(cache.bytes).toBe(3 * 384 * (2 * 4 + 3) * 4);
  });

  test("gives up views that nobody has used for long, and keeps the others", () => {
    const cache = new KvCache(states, 16, 100);
    cache.reserve(10, nothing);
    const used = cache.view(3, 1);
    const unused = cache.view(2, 1);
    for (let first = 0; first < 16; first++)
      for (let count = 2; first + count <= 16; count++) {
        cache.view(first, count);
        expect(cache.view(3, 1)).toBe(used);
      }
    expect(cache.view(2, 1)).not.toBe(unused);
    mark(cache, 2, 5, 7);
    expect(unused.keys!.data).toEqual(cache.view(2, 1).keys!.data);
  });

  test("stays what it was where the system has no memory for more", () => {
    // The first could have it; the second would take more than there are addresses (2 ** 50 bytes of 2 ** 47), so that it is
    // refused where a system promises all memory that it is asked for as well.
    const small = { name: "small", dtype: "f32", shape: ["batch", "context", 1] } as const;
    const large = { name: "large", dtype: "f32", shape: ["batch", "context", 2 ** 19] } as const;
    const cache = new KvCache([small, large], 2, 2 ** 28);
    cache.reserve(10, nothing);
    const marks = Float32Array.from({ length: 10 * (1 + 2 ** 19) }, (_, i) => i);
    cache.write(1, 10, marks);
    const before = cache.bytes;
    expect(() => cache.reserve(2 ** 28, nothing)).toThrow(/no memory for 268435456 tokens in each of 2 slots/);
    expect(cache.bytes).toBe(before);
    expect(cache.read(1, 10)).toEqual(marks);
  });

  test("grows where it is, and is given back when it is no more", () => {
    const cache = new KvCache(states, 3, 10_000);
    cache.reserve(10, nothing);
    const { keys, latent } = cache.view(0, 1);
    const memory = keys!.data.buffer;
    expect(latent!.data.buffer).toBe(memory);
    cache.reserve(10_000, nothing);
    expect(cache.view(0, 1).keys!.data.buffer).toBe(memory);
    cache.clear();
    expect((memory as ArrayBuffer).detached).toBe(true);
    expect(cache.bytes).toBe(0);
  });
});

test.skipIf(process.platform !== "linux")("one long conversation takes its own slot's memory, not the others'", () => {
  const [slots, most, width] = [8, 1 << 14, 512]; // 32 MB a slot
  const cache = new KvCache([{ name: "keys", dtype: "f32", shape: ["batch", 1, "context", width] }], slots, most);
  const before = process.memoryUsage.rss();
  let held = 0;
  const piece = new Float32Array(128 * width).fill(1);
  for (let columns = 128; columns <= most; columns += 128) {
    cache.reserve(columns, (slot) => (slot === 0 ? held : 0));
    (cache.view(0, 1).keys!.data as Float32Array).set(piece, held * width);
    held = columns;
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan((2 * cache.bytes) / slots);
  cache.clear();
});

describe("views", () => {
  test("of neighbouring slots are one piece, and the same objects every time", () => {
    const cache = new KvCache(states, 4, 100);
    cache.reserve(100, nothing);
    const view = cache.view(1, 2);
    expect(view.keys!.shape).toEqual([2, 2, 100, 4]);
    expect(view.latent!.shape).toEqual([2, 100, 3]);
    expect(cache.view(1, 2).keys).toBe(view.keys);
    mark(cache, 2, 3, 9);
    expect(view.keys!.data[2 * 100 * 4]).toBe(9000);
  });
});

describe("a slot's columns", () => {
  test("are read and written as one piece, whatever room there is", () => {
    const small = new KvCache(states, 2, 1000);
    small.reserve(10, nothing);
    mark(small, 1, 10, 3);
    const values = small.read(1, 10);
    expect(values).toHaveLength(10 * small.columnFloats);
    const large = new KvCache(states, 3, 1000, Number.NaN);
    large.reserve(600, nothing);
    large.write(2, 10, values);
    expect(columns(large, 2, 10)).toEqual(marked(3, 10));
    expect(columns(large, 2, 11)[10]).toBeNaN();
  });
});

describe("copies", () => {
  test("happen at once, so that two may be swapped and a third follow", () => {
    const cache = new KvCache(states, 3, 100);
    cache.reserve(20, nothing);
    for (const slot of [0, 1, 2]) mark(cache, slot, 20, slot);
    cache.copy([
      { from: 0, to: 1, length: 20 },
      { from: 1, to: 0, length: 5 },
      { from: 0, to: 2, length: 7 },
    ]);
    expect(columns(cache, 1, 20)).toEqual(marked(0, 20));
    expect(columns(cache, 0, 5)).toEqual(marked(1, 5));
    expect(columns(cache, 2, 7)).toEqual(marked(0, 7));
    expect(columns(cache, 2, 20)[7]).toBe(2007); // the rest is as it was
  });
});
