import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenizer, createTokenizerFromGguf } from "./create.ts";
import { TokenizerError } from "./error.ts";
import type { TokenizerFiles } from "./files.ts";
import { goldenFiles } from "./testing/golden.ts";

/** Damage as it happens: a flipped byte, a lost tail, a repeated or lost stretch. */
interface Damage {
  readonly kind: string;
  readonly place: number;
  readonly length: number;
  readonly byte: number;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom("flip", "cut", "drop", "repeat"),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 200 }),
  byte: fc.integer({ min: 0, max: 255 }),
});

function damaged(bytes: Uint8Array, { kind, place, length, byte }: Damage): Uint8Array {
  const at = Math.floor(place * bytes.length);
  if (kind === "cut") return bytes.slice(0, at);
  if (kind === "flip") return bytes.with(Math.min(at, bytes.length - 1), byte);
  const end = Math.min(at + length, bytes.length);
  const parts = kind === "drop" ? [bytes.slice(0, at), bytes.slice(end)] : [bytes.slice(0, end), bytes.slice(at)];
  return Buffer.concat(parts);
}

/** Works, or says in one line why not. */
function survives(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!TokenizerError.isInstance(error)) throw error;
    expect(error.message).not.toMatch(/[\n\r]/);
    expect(error.message.length).toBeLessThan(600);
  }
}

const text = "def f(x):\n    return  '12' <s></s> ünï 日本 🙂";
const files: [name: string, file: string, rest?: TokenizerFiles][] = [
  ["bpe_llama3", "tokenizer.json"],
  ["bpe_starcoder", "tokenizer.json"],
  ["spm_llama2", "tokenizer.json"],
  ["unigram_metaspace", "tokenizer.json"],
  ["wordpiece", "tokenizer.json"],
  ["bpe_codegen_ws", "tokenizer_config.json"],
  ["spm_llama2", "tokenizer.model"],
  ["spm_unigram_nfkc", "tokenizer.model"],
  ["spm_gemma_like", "tokenizer.model"],
];

describe.each(files)("%s with a damaged %s", (name, file) => {
  const whole = goldenFiles(name, (one) => file.endsWith(".json") || one === file);

  it("works or says why not", () => {
    fc.assert(
      fc.property(damage, (how) => {
        survives(() => {
          const tokenizer = createTokenizer({ ...whole, [file]: damaged(whole[file] as Uint8Array, how) });
          const ids = tokenizer.encode(text);
          tokenizer.decode(ids);
          tokenizer.encodeWithOffsets(text);
          tokenizer.tokenBytes(5);
        });
      }),
      { numRuns: 300 },
    );
  });
});

it("survives damaged vocab.json, merges.txt and rank files", () => {
  const gpt2 = goldenFiles("real_gpt2", (one) => one === "vocab.json" || one === "merges.txt");
  const ranks = goldenFiles("tiktoken_cl100k_base");
  const short = { "cl100k_base.tiktoken": (ranks["cl100k_base.tiktoken"] as Uint8Array).slice(0, 20_000) };
  fc.assert(
    fc.property(damage, fc.constantFrom("vocab.json", "merges.txt", "cl100k_base.tiktoken"), (how, file) => {
      const whole: TokenizerFiles = file.endsWith(".tiktoken") ? short : gpt2;
      survives(() => createTokenizer({ ...whole, [file]: damaged(whole[file] as Uint8Array, how) }).encode(text));
    }),
    { numRuns: 40 },
  );
});

/** Every place of a tokenizer.json that isn't a token, with something else in it. */
const otherValues = [null, 0, -1, 1e300, "", "x", [], {}, [[]], true, { type: "Nope" }, { type: "Sequence" }];

it("survives any other value in any place of a tokenizer.json", () => {
  for (const name of ["bpe_llama3", "spm_llama2", "unigram_metaspace", "wordpiece", "bpe_codegen_ws"]) {
    const json = JSON.parse(Buffer.from(goldenFiles(name)["tokenizer.json"] as Uint8Array).toString());
    const small = { ...json, added_tokens: json.added_tokens.slice(0, 2) };
    const paths: (string | number)[][] = [];
    const walk = (value: unknown, path: (string | number)[]) => {
      paths.push(path);
      if (path.at(-1) === "vocab" || path.at(-1) === "merges" || typeof value !== "object" || value === null) return;
      for (const key of Object.keys(value)) walk((value as Record<string, unknown>)[key], [...path, key]);
    };
    walk(small, []);
    for (const path of paths.slice(1))
      for (const other of otherValues) {
        const copy = structuredClone(small);
        let node = copy;
        for (const key of path.slice(0, -1)) node = node[key];
        node[path.at(-1)!] = other;
        survives(() => createTokenizer({ "tokenizer.json": JSON.stringify(copy) }).encode(text));
      }
  }
});

it.each([
  ["nothing", {}, "not-found"],
  ["half a pair", { "vocab.json": "{}" }, "not-found"],
  ["no JSON", { "tokenizer.json": "hello" }, "file-invalid"],
  ["a cut-off file", { "tokenizer.json": '{"model": {"type": "BPE", "vocab": {"a": 0' }, "file-invalid"],
  [
    "an absurd id",
    { "tokenizer.json": '{"model": {"type": "BPE", "vocab": {"a": 99999999999}, "merges": []}}' },
    "limit-exceeded",
  ],
  [
    "a merge of unknown tokens",
    { "tokenizer.json": '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}' },
    "file-invalid",
  ],
  ["an unknown model", { "tokenizer.json": '{"model": {"type": "Magic", "vocab": {"a": 0}}}' }, "unsupported"],
  ["an unknown rank file", { "mystery.tiktoken": "IQ== 0\n" }, "unsupported"],
  ["no protobuf", { "tokenizer.model": "hello world, this is not a model" }, "file-invalid"],
] as const)("says what is wrong with %s", (_, given, code) => {
  let thrown: unknown;
  try {
    createTokenizer(given);
  } catch (error) {
    thrown = error;
  }
  expect(TokenizerError.isInstance(thrown), String(thrown)).toBe(true);
  expect((thrown as TokenizerError).code).toBe(code);
});

it("survives GGUF metadata of any kind", () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.string()),
    fc.array(fc.integer()),
    fc.constant(null),
  );
  const keys = ["model", "pre", "tokens", "scores", "token_type", "merges", "bos_token_id", "unknown_token_id"];
  fc.assert(
    fc.property(
      fc.array(value, { minLength: keys.length, maxLength: keys.length }),
      fc.constantFrom("gpt2", "llama", "t5"),
      (values, model) => {
        const metadata = Object.fromEntries(keys.map((key, index) => [`tokenizer.ggml.${key}`, values[index]]));
        survives(() => createTokenizerFromGguf({ ...metadata, "tokenizer.ggml.model": model }).encode(text));
      },
    ),
    { numRuns: 300 },
  );
});
