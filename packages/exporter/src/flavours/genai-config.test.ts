import { readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import { expect, test } from "vitest";
import { genaiConfig } from "./genai-config.ts";
import { transformersInterface } from "./transformers-interface.ts";

const configOf = (name: string) => {
  const config = new Config(readGoldenConfig(name));
  const graph = transformersInterface(architectureFor(config.raw).build(config), { cache: true });
  return genaiConfig({ filename: "model.onnx", graph, context: 64, eos: [2, 3] });
};

test("names what a decoder takes and gives, and sizes its cache", () => {
  expect(configOf("llama_gqa_llama3")).toMatchObject({
    model: {
      eos_token_id: [2, 3],
      pad_token_id: 2,
      decoder: { num_key_value_heads: 2, inputs: { position_ids: "position_ids" } },
    },
  });
  expect(JSON.stringify(configOf("bloom"))).not.toContain("position_ids"); // biases by distance need none
});

test("refuses what keeps one vector for each token", () => {
  expect(() => configOf("deepseek_v3")).toThrow(/keeps a key and a value for each token; .* keeps something else/);
});
