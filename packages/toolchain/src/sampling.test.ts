import { describe, expect, it } from "vitest";
import { generationDefaults } from "./generation-defaults.ts";
import { samplingOptions } from "./sampling.ts";

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
  it("reads what generation_config says, and not what makes no sense", () => {
    expect(generationDefaults(starcoder)).toEqual({ sample: true, temperature: 0.2, topP: 0.95, eosTokenIds: [0, 7] });
    expect(generationDefaults({ eos_token_id: 2 })).toEqual({ eosTokenIds: [2] });
    expect(generationDefaults(undefined)).toEqual({});
  });

  const defaults = generationDefaults(starcoder);
  it.each<[string, Parameters<typeof samplingOptions>, object]>([
    ["nothing said: greedy", [{}, {}], { greedy: true }],
    ["the checkpoint samples", [{}, defaults], { temperature: 0.2, topP: 0.95 }],
    ["the user goes first", [{ temperature: 0.8 }, defaults], { temperature: 0.8, topP: 0.95 }],
    [
      "greedy means greedy",
      [{ greedy: true, repetitionPenalty: 1.2 }, defaults],
      { greedy: true, repetitionPenalty: 1.2 },
    ],
    ["a penalty draws nothing", [{ repetitionPenalty: 1.2 }, {}], { greedy: true, repetitionPenalty: 1.2 }],
    ["top-k asks for drawing", [{ topK: 5, topP: undefined as never }, {}], { topK: 5, temperature: 1 }],
    ["do_sample false keeps its temperature to itself", [{}, { sample: false, temperature: 0.7 }], { greedy: true }],
  ])("%s", (_, args, options) => expect(samplingOptions(...args)).toEqual(options));
});
