import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator } from "@llm/generate";
import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { artefactDefaults, generationDefaults } from "./generation-defaults.ts";
import { MODEL_FILES } from "./model-files.ts";

const starcoder = {
  do_sample: true,
  temperature: 0.2,
  top_p: 0.95,
  top_k: "many",
  eos_token_id: [0, 7],
  bos_token_id: 0,
  max_new_tokens: null,
};

describe("a checkpoint's generation_config", () => {
  it("is followed, but for what makes no sense", () => {
    const expected = { doSample: true, temperature: 0.2, topP: 0.95, eosTokenId: [0, 7] };
    expect(generationDefaults(starcoder)).toEqual(expected);
    expect(generationDefaults({ eos_token_id: 2 })).toEqual({ doSample: false, eosTokenId: [2] });
    expect(generationDefaults(undefined)).toEqual({});
  });

  it.each<[Readonly<Record<string, unknown>>, object]>([
    [
      { epsilon_cutoff: 3e-4, eta_cutoff: 6e-4 },
      { epsilonCutoff: 3e-4, etaCutoff: 6e-4 },
    ],
    [
      { suppress_tokens: [1, 2], bad_words_ids: [[3, 4]] },
      { suppressTokens: [1, 2], badWordsIds: [[3, 4]] },
    ],
    [{ sequence_bias: [[[5, 6], -2]] }, { sequenceBias: [[[5, 6], -2]] }],
    [{ exponential_decay_length_penalty: [10, 1.1] }, { exponentialDecayLengthPenalty: [10, 1.1] }],
    [
      { min_new_tokens: 3, min_length: 9 },
      { minNewTokens: 3, minLength: 9 },
    ],
    [{ stop_strings: ["END"] }, { stop: ["END"] }],
    [{ guidance_scale: 1.5 }, { guidanceScale: 1.5 }],
    [
      { length_penalty: 0.8, early_stopping: "never" },
      { lengthPenalty: 0.8, earlyStopping: "never" },
    ],
  ])("says %j", (config, options) => expect(generationDefaults(config)).toEqual({ doSample: false, ...options }));

  it.each([
    { temperature: "0.6", top_p: 7, top_k: -1, do_sample: "yes" },
    { suppress_tokens: "all", bad_words_ids: [[]], sequence_bias: { "(1, 2)": 3 } },
    { exponential_decay_length_penalty: 3, min_new_tokens: -1, max_new_tokens: 1.5 },
    { stop_strings: [""], guidance_scale: "big", early_stopping: "soon", length_penalty: null },
    { num_beams: 4, num_return_sequences: 2, max_length: 20 }, // the call's to say
  ])("says nothing by %j", (config) => expect(generationDefaults(config)).toEqual({ doSample: false }));
});

describe("tokens that a model doesn't have", () => {
  it.each<[Readonly<Record<string, unknown>>, object]>([
    [{ suppress_tokens: [5, -1, 100] }, { suppressTokens: [5] }],
    [{ bad_words_ids: [[5, 6], [100]] }, {}],
    [{ bad_words_ids: [5, 6] }, {}],
    [{ sequence_bias: [[[5, 100], 1]], top_k: 3 }, { topK: 3 }],
  ])("stop no request: %j", (generation, options) => {
    for (const config of [{ vocab_size: 100 }, { text_config: { vocab_size: 100 } }])
      expect(generationDefaults(generation, config)).toEqual({ doSample: false, ...options });
  });
});

describe("which tokens end a text", () => {
  const gemma = { eos_token_id: [1, 106] };
  it.each<[string, Readonly<Record<string, unknown>> | undefined, Readonly<Record<string, unknown>>, object]>([
    ["its config alone says", undefined, gemma, { eosTokenId: [1, 106] }],
    ["a config says for its text model", undefined, { text_config: gemma }, { eosTokenId: [1, 106] }],
    ["both say", { eos_token_id: 2 }, gemma, { doSample: false, eosTokenId: [2] }],
    ["a generation_config leaves open", { do_sample: true }, gemma, { doSample: true, eosTokenId: [1, 106] }],
    ["nobody says", undefined, { eos_token_id: null }, {}],
    ["a config says there are none", undefined, { eos_token_id: -1 }, {}],
  ])("where %s", (_, generation, config, defaults) => {
    expect(generationDefaults(generation, config)).toEqual(defaults);
  });

  it("is read of artefacts too, with no generation_config.json", async () => {
    const folder = await mkdtemp(join(tmpdir(), "artefact-ends-"));
    await mkdir(join(folder, MODEL_FILES));
    await writeFile(join(folder, MODEL_FILES, "config.json"), JSON.stringify(gemma));
    expect(await artefactDefaults(folder)).toEqual({ eosTokenId: [1, 106] });
    await rm(folder, { recursive: true });
  });
});

describe("what is asked of a model", () => {
  const silent = { do_sample: false, temperature: 50, repetition_penalty: 1.2 };
  it.each<[string, object, Readonly<Record<string, unknown>>, boolean]>([
    ["nothing", {}, {}, false],
    ["nothing, and the checkpoint samples", {}, starcoder, true],
    ["nothing, and the checkpoint doesn't", {}, silent, false],
    ["another temperature", { temperature: 50 }, starcoder, true],
    ["the likeliest", { greedy: true }, starcoder, false],
    ["a penalty", { repetitionPenalty: 1.3 }, {}, false],
    ["some to draw from", { topK: 200 }, {}, true],
    ["some to draw from, by transformers' names", { top_p: 0.99 }, silent, true],
  ])("%s", async (_, asked, config, draws) => {
    const defaults = { ...generationDefaults({ eos_token_id: 0, ...config }), ignoreEos: true, maxNewTokens: 24 };
    const session = openNull({ vocab: 257, context: 64 });
    const tokenizer = { encode: () => [1], decode: () => "", stream: () => ({ push: () => "", end: () => "" }) };
    const generator = new Generator({ session, tokenizer, defaults });
    const [one, other] = await Promise.all([1, 2].map((seed) => generator.generate("x", { ...asked, seed })));
    expect(String(one!.tokens) !== String(other!.tokens)).toBe(draws);
    await generator.close();
  });
});
