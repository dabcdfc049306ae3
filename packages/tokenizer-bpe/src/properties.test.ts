import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenizer } from "./create.ts";
import { goldenFiles } from "./testing/golden.ts";
import { anyText } from "./testing/text.ts";

const byteLevel = ["bpe_codegen_ws", "bpe_gpt2", "bpe_llama3", "bpe_starcoder", "real_gpt2", "tiktoken_cl100k_base"];
const all = [...byteLevel, "bpe_qwen2", "bpe_prefix_space", "spm_llama2", "spm_llama_metaspace", "unigram_metaspace"];
const load = (name: string) => createTokenizer(goldenFiles(name));

describe.each(byteLevel)("%s", (name) => {
  const tokenizer = load(name);

  it("gives back every text that it took", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text, { addSpecialTokens: false }))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it("has bytes for tokens that add up to the text's bytes", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text, { addSpecialTokens: false });
        expect(Buffer.concat(Array.from(ids, (id) => tokenizer.tokenBytes(id))).toString()).toBe(text);
      }),
      { numRuns: 200 },
    );
  });
});

describe.each(all)("%s", (name) => {
  const tokenizer = load(name);

  it("streams what it decodes", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text);
        const stream = tokenizer.stream();
        const pieces = Array.from(ids, (id) => stream.push(id));
        for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
        expect(pieces.join("") + stream.end()).toBe(tokenizer.decode(ids, { skipSpecialTokens: true }));
      }),
      { numRuns: 300 },
    );
  });

  it("has offsets that lie in the text and in order", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { ids, offsets } = tokenizer.encodeWithOffsets(text, { addSpecialTokens: false });
        expect(ids).toEqual(tokenizer.encode(text, { addSpecialTokens: false }));
        expect(offsets.length).toBe(ids.length * 2);
        for (let i = 0; i < ids.length; i++) {
          expect(offsets[2 * i]).toBeLessThanOrEqual(offsets[2 * i + 1]);
          expect(offsets[2 * i + 1]).toBeLessThanOrEqual(text.length);
          if (i > 0) expect(offsets[2 * i]).toBeGreaterThanOrEqual(offsets[2 * i - 2]);
        }
      }),
      { numRuns: 200 },
    );
  });
});

it("cuts the same with scanners and with regular expressions", () => {
  for (const name of ["bpe_gpt2", "bpe_starcoder", "bpe_llama3", "bpe_qwen2", "bpe_prefix_space"]) {
    const fast = load(name);
    const slow = createTokenizer(goldenFiles(name), { scanners: false });
    fc.assert(
      fc.property(anyText, (text) => {
        expect(fast.encode(text)).toEqual(slow.encode(text));
      }),
      { numRuns: 300 },
    );
  }
});

it("reads a text's own place from its offsets", () => {
  const text = "for naïve 🙂 in x:\n    pass";
  const tokenizer = load("bpe_gpt2");
  const { ids, offsets } = tokenizer.encodeWithOffsets(text);
  for (const [index, id] of ids.entries()) {
    const token = Buffer.from(tokenizer.tokenBytes(id)).toString();
    if (!token.includes("\ufffd")) expect(text.slice(offsets[2 * index], offsets[2 * index + 1])).toBe(token);
  }
});

/** Processor time of one call in ms: other jobs on the machine don't count. */
function processorTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe("a megabyte of one character", () => {
  const SHARE = 8;
  const texts: [string, string, number][] = [
    ["letters", "a", 1 << 20],
    ["spaces", " ", 1 << 20],
    ["line breaks", "\n", 1 << 20],
    ["emoji", "🙂", 1 << 18],
    ["digits", "1", 1 << 20],
    ["letters that alternate", "ab", 1 << 19],
  ];

  // Anything quadratic takes SHARE² = 64 times as long for the whole as for an eighth; linear work takes 8, noise and all
  // under 30. How fast it is in seconds is the benchmark's business: a busy machine must not fail a test.
  it.each(all.flatMap((name) => texts.map(([what, unit, count]) => [name, what, unit, count] as const)))(
    "%s: %s, in time that grows with the text and no faster",
    (name, _, unit, count) => {
      const tokenizer = load(name);
      const eighth = processorTime(() => tokenizer.encode(unit.repeat(count / SHARE)));
      const whole = processorTime(() => tokenizer.encode(unit.repeat(count)));
      const bound = 30 * Math.max(eighth, 10); // below 10 ms the clock is too coarse to compare with
      expect(whole).toBeLessThan(bound);
    },
  );
});
