import { readOnnx } from "@llm/exporter";
import { type OrtPort, openOrt } from "@llm/runtime-native/ort";
import { describe, expect, test } from "vitest";
import type { Aic100Options } from "../options.ts";
import { buildGolden } from "../testing/build-golden.ts";
import { replicas } from "./replicate-kv-heads.ts";

async function exported(golden: string, options: Partial<Aic100Options>) {
  using built = await buildGolden(golden, { promptLen: 4, ctxLen: 32, format: "fp16", ...options });
  const file = `${built.artefact.folder}/model.onnx`;
  const { functions } = await readOnnx(file);
  const model = await openOrt(file, { threads: 1 });
  const { inputs, outputs } = model;
  await model.close();
  const ports = (list: readonly OrtPort[]) =>
    list.map(({ name, dtype, shape }) => `${name} ${dtype}[${shape.join(", ")}]`);
  return { inputs: ports(inputs), outputs: ports(outputs), functions };
}

describe("ports", () => {
  test("rows that are slots", async () => {
    const { inputs, outputs } = await exported("gpt_bigcode_mqa", {});
    expect(inputs.slice(0, 4)).toEqual([
      "input_ids i64[batch_size, seq_len]",
      "position_ids i64[batch_size, seq_len]",
      "past_key.0 f16[batch_size, 1, ctx_len, 12]",
      "past_value.0 f16[batch_size, 1, ctx_len, 12]",
    ]);
    expect(outputs[0]).toBe("logits f32[batch_size, 1, 304]");
    expect(outputs[1]).toBe("past_key.0_RetainedState f16[batch_size, 1, ctx_len, 12]");
  });

  test("continuous batching, drafts, shorter contexts", async () => {
    const batching = await exported("gpt2", { fullBatchSize: 4 });
    expect(batching.inputs).toContain("batch_index i64[batch_size, 1]");
    expect(batching.inputs.some((port) => port.startsWith("past_key.0 f16[full_batch_size,"))).toBe(true);
    expect(batching.functions).toContain("com.qualcomm.cloud:CtxScatterCB");
    const drafts = await exported("gpt2", { numSpeculativeTokens: 2 });
    expect(drafts.inputs).toContain("num_logits_to_keep i64[num_logits_to_keep, 1]");
    expect(drafts.outputs[0]).toBe("logits f32[batch_size, num_logits_to_keep, 304]");
    const shorter = await exported("gpt2", { compCtxLengths: [1024], ctxLen: 64 });
    expect(shorter.inputs).toContain("comp_ctx_lengths i64[comp_ctx_lengths]");
  });

  test("choosing tokens: how is said, what was said is kept, tokens come out", async () => {
    const options = { fullBatchSize: 4, onDeviceSampling: true, maxTopKIds: 64, subFunctions: true };
    const { inputs, outputs } = await exported("gpt2", options);
    const ofSampler = inputs.filter(
      (port) => !/^(?:input_ids|position_ids|batch_index|past_(?:key|value)\.)/.test(port),
    );
    expect(ofSampler.toSorted()).toEqual([
      "last_accepted_output_tokens i64[batch_size, seq_len]",
      "min_ps f32[batch_size, 1]",
      "past_presence_penalty_buffer bool[full_batch_size, 304]",
      "past_repetition_penalty_buffer bool[full_batch_size, 304]",
      "presence_penalties f32[batch_size, 1]",
      "random_numbers f32[batch_size, 64]",
      "repetition_penalties f32[batch_size, 1]",
      "temperatures f32[batch_size, 1]",
      "top_ks i32[batch_size, 1]",
      "top_ps f32[batch_size, 1]",
    ]);
    expect(outputs[0]).toBe("next_tokens i64[batch_size, 1, 1]");
    expect(outputs[1]).toContain("past_key.0_InternalRetainedState");
    expect(outputs.slice(-2).map((port) => port.split(" ")[0])).toEqual([
      "past_repetition_penalty_buffer_RetainedState",
      "past_presence_penalty_buffer_RetainedState",
    ]);
    const guided = await exported("gpt2", { onDeviceSampling: true, includeGuidedDecoding: true });
    expect(guided.inputs).toContain("token_bitmasks bool[batch_size, 304]");
    expect(guided.inputs).toContain("random_numbers f32[batch_size, 304]"); // no more than there are tokens
  });

  test("the recipe's: one index, a retained mask, three axes for a single head, float32 for the compiler to halve", async () => {
    const { inputs, outputs, functions } = await exported("gpt_bigcode_mqa", { sdk: "recipe" });
    expect(inputs).toContain("cache_index i64[1]");
    expect(inputs).toContain("attention_mask bool[batch_size, ctx_len]");
    expect(inputs).toContain("past_key.0 f32[batch_size, ctx_len, 12]");
    expect(outputs).toContain("attention_mask_RetainedState bool[batch_size, ctx_len]");
    expect(functions).toEqual([]);
    const many = await exported("gpt2", { sdk: "recipe" });
    expect(many.inputs.some((port) => /^past_key\.0 f32\[batch_size, \d+, ctx_len, \d+\]$/.test(port))).toBe(true);
  });

  test("windowed layers keep their window, a call's tokens and a place for padding", async () => {
    const { inputs } = await exported("mistral_swa", {});
    const places = inputs.filter((port) => port.startsWith("past_key")).map((port) => port.split(", ")[2]);
    expect(places.every((count) => Number(count) > 4 && Number(count) < 32)).toBe(true);
  });
});

describe("blocks as functions", () => {
  test("equal blocks are one function, and their caches go by another name", async () => {
    const { functions, outputs } = await exported("llama_mha", { subFunctions: true });
    expect(functions.filter((name) => name.includes("DecoderBlock"))).toEqual(["com.qualcomm.cloud:DecoderBlock"]);
    expect(outputs[1]).toContain("past_key.0_InternalRetainedState");
  });
});

describe("replicas", () => {
  test("never more heads than queries, and equally many for each", () => {
    expect(replicas(48, 1, 4)).toBe(4);
    expect(replicas(32, 8, 4)).toBe(4);
    expect(replicas(32, 32, 4)).toBe(1);
    expect(replicas(12, 2, 4)).toBe(3);
    expect(replicas(6, 2, 2)).toBe(1);
  });

  test("widen the cache", async () => {
    const { inputs } = await exported("gpt_bigcode_mqa", { replicateKvHeads: 4 });
    expect(inputs).toContain("past_key.0 f16[batch_size, 4, ctx_len, 12]");
  });
});
