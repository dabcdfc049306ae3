import { openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { BYTE_VOCAB, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { Generator } from "./generator.ts";
import { readOptions } from "./options.ts";

const open = (): Generator =>
  new Generator({ session: openNull({ slots: 2, vocab: BYTE_VOCAB }), tokenizer: byteTokenizer });

describe("options of transformers that nothing here is called by", () => {
  it("are passed over where they ask for nothing", () => {
    const idle = {
      ...{ use_cache: true, pad_token_id: 0, bos_token_id: 1, return_dict_in_generate: true, output_scores: false },
      ...{ encoder_repetition_penalty: 1, constraints: [], generation_kwargs: {}, forced_eos_token_id: null },
    };
    expect(readOptions({ ...idle, top_k: 3 })).toEqual({ topK: 3 });
  });

  it.each([
    ["output_scores", true, "ask for logprobs"],
    ["maxTime", 3, "AbortSignal.timeout"],
    ["stopping_criteria", [() => true], "give stop, stopTokens or a signal"],
    ["return_full_text", true, "put the prompt before the text"],
    ["penalty_alpha", 0.6, "leave it out"],
    ["generation_kwargs", { top_k: 3 }, "leave it out"],
  ])("are refused by name where they do: %s", (name, value, instead) => {
    expect(() => readOptions({ [name]: value })).toThrow(`${name} can't be done here; `);
    expect(() => readOptions({ [name]: value })).toThrow(instead);
  });

  it("ask for guesses from the text where they do so there", () => {
    expect(readOptions({ prompt_lookup_num_tokens: 10, max_matching_ngram_size: 2 })).toEqual({ speculate: true });
    expect(readOptions({ promptLookupNumTokens: 0 })).toEqual({});
    expect(readOptions({ prompt_lookup_num_tokens: 10, speculate: false })).toEqual({ speculate: false });
    expect(readOptions({ speculate: false, prompt_lookup_num_tokens: 10 })).toEqual({ speculate: false });
  });

  // All of a GenerationConfig of transformers 5.23, and what `generate` takes beside it.
  it.each(
    `max_length max_new_tokens min_length min_new_tokens early_stopping max_time stop_strings do_sample num_beams use_mtp use_cache
    cache_implementation cache_config max_cache_len temperature top_k top_p min_p top_h typical_p epsilon_cutoff eta_cutoff
    repetition_penalty encoder_repetition_penalty length_penalty no_repeat_ngram_size bad_words_ids renormalize_logits
    forced_bos_token_id forced_eos_token_id remove_invalid_values exponential_decay_length_penalty suppress_tokens
    begin_suppress_tokens sequence_bias token_healing guidance_scale watermarking_config num_return_sequences output_attentions
    output_hidden_states output_scores output_logits return_dict_in_generate pad_token_id bos_token_id eos_token_id
    encoder_no_repeat_ngram_size decoder_start_token_id is_assistant num_assistant_tokens num_assistant_tokens_schedule
    assistant_confidence_threshold prompt_lookup_num_tokens max_matching_ngram_size assistant_early_exit assistant_lookbehind
    target_lookbehind assistant_ensemble_weight speculation_type compile_config disable_compile continuous_batching_config low_memory
    penalty_alpha dola_layers diversity_penalty num_beam_groups constraints force_words_ids prefill_chunk_size _from_model_config
    transformers_version logits_processor stopping_criteria prefix_allowed_tokens_fn synced_gpus assistant_model streamer
    negative_prompt_ids custom_generate`.split(/\s+/),
  )("are known: %s", (name) => {
    let problem: unknown;
    try {
      readOptions({ [name]: 3 });
    } catch (error) {
      problem = error;
    }
    expect(String(problem)).not.toContain("there is no option");
  });

  it("come as a generation_config, too, which counts where nothing beside it does", () => {
    const generation_config = { max_new_tokens: 5, do_sample: true, eos_token_id: [1, 2] };
    expect(readOptions({ generation_config, maxNewTokens: 7 })).toEqual({
      maxNewTokens: 7,
      doSample: true,
      eosTokenId: [1, 2],
    });
  });

  it("are taken as a generation_config.json has them, with where it came from", () => {
    const file = `{ "_from_model_config": true, "transformers_version": "4.31.0", "bos_token_id": 1, "pad_token_id": 0,
      "do_sample": true, "temperature": 0.6, "top_p": 0.9, "max_length": 4096, "cache_implementation": "hybrid" }`;
    const expected = { doSample: true, temperature: 0.6, topP: 0.9, maxLength: 4096 };
    expect(readOptions({ generation_config: JSON.parse(file) })).toEqual(expected);
  });
});

describe("what is asked of a single text", () => {
  it("isn't several", async () => {
    const generator = open();
    expect(() => generator.stream("x", { num_return_sequences: 3 })).toThrow("one text can't be 3: ask `several`");
    await expect(generator.generate(["x"], { bestOf: 2 })).rejects.toThrow("one text can't be 2");
    expect((await generator.generate("x", { num_return_sequences: 1, maxNewTokens: 2 })).tokens).toHaveLength(2);
    expect(await generator.several("x", { num_return_sequences: 2, maxNewTokens: 2 })).toHaveLength(2);
    await generator.close();
  });

  it("may say of a context what asks for nothing", async () => {
    const generator = open();
    const neutral = { num_beams: 1, num_return_sequences: 1, guidance_scale: 1, json: false, max_new_tokens: 3 };
    const { tokens } = await generator.generateAtOnce(generator.prepareContext("x", neutral), 3);
    expect(Array.from(tokens)).toEqual((await generator.generate("x", { maxNewTokens: 3 })).tokens);
    expect(() => generator.prepareContext("x", { num_beams: 2 })).toThrow("takes no numBeams");
    await generator.close();
  });
});

describe("a saved prefix", () => {
  it("is found by prompts that begin with it, in another generator", async () => {
    const [one, other] = [open(), open()];
    const system = "what every prompt begins with";
    const bytes = await one.savePrefix(system);
    expect(await other.restorePrefix(bytes)).toBe(system.length);
    const { usage, tokens } = await other.generate(`${system} and more`, { maxNewTokens: 8 });
    expect(usage.cachedTokens).toBe(system.length);
    expect(tokens).toEqual((await one.generate(`${system} and more`, { maxNewTokens: 8 })).tokens);
    await expect(other.restorePrefix(bytes.subarray(0, 20))).rejects.toThrow(/no saved history/);
    for (const [at, bit] of [
      [4, 1], // fewer tokens than there are
      [8, 4],
      [30, 2],
    ] as const)
      await expect(other.restorePrefix(bytes.with(at, bytes[at]! ^ bit))).rejects.toThrow(/no saved history/);
    for (const generator of [one, other]) await generator.close();
  });

  it("holds nothing of what others said after it", async () => {
    const [one, other] = [open(), open()];
    const system = "what every prompt begins with";
    await one.generate(`${system} and a secret`, { maxNewTokens: 8 });
    expect(await other.restorePrefix(await one.savePrefix(system))).toBe(system.length);
    for (const generator of [one, other]) await generator.close();
  });

  it("is refused where a device can't", async () => {
    const session = openNull({ like: "aic100", vocab: BYTE_VOCAB });
    const generator = new Generator({ session, tokenizer: byteTokenizer });
    await expect(generator.savePrefix("x")).rejects.toThrow("this device's histories can't be saved");
    await expect(generator.restorePrefix(new Uint8Array(4))).rejects.toThrow("can't be restored");
    await generator.close();
  });
});
