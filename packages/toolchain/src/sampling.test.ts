import type { SamplingOptions } from "@llm/generate";
import { describe, expect, it } from "vitest";
import { generationDefaults } from "./generation-defaults.ts";
import { askedOptions, generatorDefaults } from "./sampling.ts";

const starcoder = {
  do_sample: true,
  temperature: 0.2,
  top_p: 0.95,
  top_k: "many",
  eos_token_id: [0, 7],
  bos_token_id: 0,
  max_new_tokens: null,
};

describe("sampling defaults", () => {
  it("are what generation_config says, and not what makes no sense", () => {
    expect(generationDefaults(starcoder)).toEqual({ sample: true, temperature: 0.2, topP: 0.95, eosTokenIds: [0, 7] });
    expect(generationDefaults({ eos_token_id: 2 })).toEqual({ eosTokenIds: [2] });
    expect(generationDefaults(undefined)).toEqual({});
    expect(generatorDefaults(generationDefaults(starcoder))).toEqual({
      temperature: 0.2,
      topP: 0.95,
      topK: 50,
      eosTokenId: [0, 7],
    });
  });

  const sampling = generationDefaults(starcoder);
  const silent = { sample: false, temperature: 0.7, repetitionPenalty: 1.2 };
  it.each<[string, SamplingOptions, typeof sampling, object]>([
    ["nothing said", {}, {}, {}],
    ["the checkpoint samples", {}, sampling, { temperature: 0.2, topP: 0.95, topK: 50 }],
    ["the user goes first", { temperature: 0.8, topK: 0 }, sampling, { temperature: 0.8, topP: 0.95, topK: 0 }],
    ["greedy means greedy", { greedy: true }, sampling, { greedy: true }],
    ["a penalty draws nothing", { repetitionPenalty: 1.3 }, {}, { repetitionPenalty: 1.3 }],
    ["top-k asks for drawing", { topK: 5 }, {}, { topK: 5, temperature: 1 }],
    ["do_sample false keeps its temperature to itself", {}, silent, { repetitionPenalty: 1.2 }],
    ["and gives way to the user", { temperature: 0.5 }, silent, { temperature: 0.5, repetitionPenalty: 1.2 }],
  ])("%s", (_, asked, defaults, options) => {
    const merged = { ...generatorDefaults(defaults), ...askedOptions(asked, defaults) };
    expect(merged).toMatchObject(options);
    const draws = "temperature" in options && !("greedy" in options);
    expect(merged.greedy ?? !merged.temperature).toBe(!draws);
  });
});
