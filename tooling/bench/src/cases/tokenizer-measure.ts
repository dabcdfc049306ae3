/** `node tokenizer-measure.ts LIBRARY FILE CORPUS`: times one JavaScript tokenizer in a process of its own, one JSON line. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const linesInText = 1000; // as on Python's side

interface Measured {
  encode(text: string): { readonly length: number };
}

/** Loads a tokenizer; what isn't loading (importing the library) happens before the clock is asked for. */
const libraries: Readonly<Record<string, (file: string) => Promise<() => Promise<Measured>>>> = {
  async ours(file) {
    const { loadTokenizer } = await import("@llm/tokenizer-bpe");
    return async () => {
      const tokenizer = await loadTokenizer(file);
      return { encode: (text) => tokenizer.encode(text, { addSpecialTokens: false }) };
    };
  },
  async "@huggingface/tokenizers"(file) {
    const { Tokenizer } = await import("@huggingface/tokenizers");
    return async () => {
      const config = readFileSync(join(dirname(file), "tokenizer_config.json"), "utf8");
      const tokenizer = new Tokenizer(JSON.parse(readFileSync(file, "utf8")), JSON.parse(config));
      return { encode: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids };
    };
  },
  async "js-tiktoken"() {
    const { Tiktoken } = await import("js-tiktoken/lite");
    const { default: ranks } = await import("js-tiktoken/ranks/cl100k_base");
    return async () => {
      const tokenizer = new Tiktoken(ranks);
      return { encode: (text) => tokenizer.encode(text, [], []) };
    };
  },
  async "gpt-tokenizer"() {
    // Its ranks are code: importing them is loading them.
    return async () => {
      const { encode } = await import("gpt-tokenizer/encoding/cl100k_base");
      return { encode: (text) => encode(text) };
    };
  },
};

const [library, file, corpus] = process.argv.slice(2);
const text = readFileSync(corpus, "utf8");
const lines = text.split("\n");
const pieces = Array.from({ length: Math.ceil(lines.length / linesInText) }, (_, i) =>
  lines.slice(i * linesInText, (i + 1) * linesInText).join("\n"),
);
const load = await libraries[library](file);
globalThis.gc?.(); // what making the pieces left is not the library's
const before = process.memoryUsage.rss();
const started = performance.now();
const tokenizer = await load();
const loaded = performance.now();
// Kept, as Python's side keeps its lists.
const rows = pieces.map((one) => tokenizer.encode(one));
const done = performance.now();
console.log(
  JSON.stringify({
    speed: Buffer.byteLength(text) / 1e3 / (done - loaded),
    load: loaded - started,
    memory: process.resourceUsage().maxRSS / 1024 - before / 2 ** 20,
    process: process.resourceUsage().maxRSS / 1024,
    tokens: rows.reduce((sum, row) => sum + row.length, 0),
  }),
);
