import { readFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { gunzipSync } from "node:zlib";
import { goldenRoot } from "@llm/fixtures";
import { Constraint, parseGrammar, Vocabulary } from "@llm/grammar";
import { createTokenizer, type Tokenizer } from "@llm/tokenizer-bpe";
import type { Case, Measurement } from "../case.ts";

/** A call's arguments as people describe them: nested, with choices, lists and texts. */
const SCHEMA = {
  type: "object",
  properties: {
    name: { type: "string" },
    email: { type: "string", maxLength: 40 },
    age: { type: "integer", minimum: 0, maximum: 150 },
    role: { enum: ["admin", "editor", "viewer"] },
    active: { type: "boolean" },
    address: {
      type: "object",
      properties: {
        street: { type: "string" },
        city: { type: "string" },
        zip: { type: "string", pattern: "^[0-9]{5}$" },
      },
      required: ["street", "city"],
      additionalProperties: false,
    },
    tags: { type: "array", items: { type: "string" }, maxItems: 8 },
    scores: { type: "array", items: { type: "number" } },
  },
  required: ["name", "email", "age", "role", "active", "address", "tags", "scores"],
  additionalProperties: false,
};

const ANSWER = {
  name: "Ada Lovelace",
  email: "ada@example.org",
  age: 36,
  role: "editor",
  active: true,
  address: { street: "12 St James's Square", city: "London", zip: "12345" },
  tags: ["mathematics", "engines"],
  scores: [1.5, -2, 0.25],
};

/** xgrammar's build is CommonJS that its own manifest calls an ES module: neither `import` nor `require` loads it. */
function loadXGrammar(): typeof import("@mlc-ai/web-xgrammar") {
  const file = createRequire(import.meta.url).resolve("@mlc-ai/web-xgrammar");
  const module = new Module(file) as Module & { _compile(code: string, file: string): void };
  module._compile(readFileSync(file, "utf8"), file);
  return module.exports;
}

/** Qwen 2.5's: 151,665 tokens. */
function largeTokenizer(): Tokenizer {
  const folder = `${goldenRoot}/tokenizers/real_qwen2_5`;
  return createTokenizer({ "tokenizer.json": gunzipSync(readFileSync(`${folder}/tokenizer.json.gz`)) });
}

/** Milliseconds of `work`, and what it gave. */
async function timed<T>(work: () => T | Promise<T>): Promise<[number, T]> {
  const began = performance.now();
  const result = await work();
  return [performance.now() - began, result];
}

/** One answer held to the schema, token by token: microseconds a mask. */
async function walk(
  ids: Int32Array,
  mask: () => unknown,
  accept: (token: number) => unknown,
): Promise<{ mean: number; most: number }> {
  let [sum, most] = [0, 0];
  for (const token of ids) {
    const [ms] = await timed(mask);
    sum += ms;
    most = Math.max(most, ms);
    accept(token);
  }
  return { mean: (1000 * sum) / ids.length, most: 1000 * most };
}

/** Masks over a real vocabulary beside xgrammar's build for JavaScript. */
export const grammar: Case = {
  name: "grammar",
  title: "Holding an answer to a JSON schema over 151,665 tokens",
  metrics: [
    { key: "compile", unit: "ms", better: "lower", limit: 200 },
    { key: "warm", unit: "us", better: "lower", limit: 50 },
    { key: "cold", unit: "us", better: "lower" },
    { key: "coldest", unit: "us", better: "lower" },
    { key: "vocabulary", unit: "ms", better: "lower" },
  ],
  rounds: 5,
  baseline: "xgrammar",
  sides: async () => {
    const tokenizer = largeTokenizer();
    const size = tokenizer.vocabSize;
    const end = tokenizer.encode("<|im_end|>")[0]!;
    const ids = Int32Array.from(tokenizer.encode(JSON.stringify(ANSWER), { addSpecialTokens: false }));
    const texts = Array.from({ length: size }, (_, id) =>
      tokenizer.isSpecial(id) ? undefined : tokenizer.tokenBytes(id),
    );

    const ours = async (): Promise<Measurement> => {
      const [vocabularyMs, vocabulary] = await timed(() => new Vocabulary(texts, [end]));
      const [compile, constraint] = await timed(() => {
        const made = new Constraint(parseGrammar({ jsonSchema: SCHEMA }), vocabulary);
        made.matcher().mask();
        return made;
      });
      const answer = () => {
        const matcher = constraint.matcher();
        return walk(
          ids,
          () => matcher.mask(),
          (token) => matcher.accept(token),
        );
      };
      const cold = await answer();
      const warm = await answer();
      return { vocabulary: vocabularyMs, compile, cold: cold.mean, coldest: cold.most, warm: warm.mean };
    };

    const peer = async (): Promise<Measurement> => {
      const { GrammarCompiler, GrammarMatcher, TokenizerInfo } = loadXGrammar();
      const letters = Array.from({ length: size }, (_, id) => tokenizer.idToToken(id) ?? "");
      const [vocabulary, info] = await timed(() =>
        TokenizerInfo.createTokenizerInfo(letters, "byte_level", false, size, end),
      );
      const compiler = await GrammarCompiler.createGrammarCompiler(info, false);
      const [compile, compiled] = await timed(() => compiler.compileJSONSchema(JSON.stringify(SCHEMA)));
      const answer = async () => {
        const matcher = await GrammarMatcher.createGrammarMatcher(compiled);
        const result = await walk(
          ids,
          () => matcher.getNextTokenBitmask(),
          (token) => matcher.acceptToken(token),
        );
        matcher.dispose();
        return result;
      };
      const cold = await answer();
      const warm = await answer();
      for (const made of [compiled, compiler, info]) made.dispose();
      return { vocabulary, compile, cold: cold.mean, coldest: cold.most, warm: warm.mean };
    };

    return [
      { name: "ours", detail: `an answer of ${ids.length} tokens, twice`, run: ours },
      { name: "xgrammar", detail: "@mlc-ai/web-xgrammar 0.1.27, WebAssembly", run: peer },
    ];
  },
};
