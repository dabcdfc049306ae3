import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import { expect, test } from "vitest";
import { root } from "./workspace.ts";

const listed = readFileSync(join(root, "FEATURES.md"), "utf8")
  .split("\n")
  .filter((line) => /^\d+\. /.test(line));

test.each([
  ["llama_mha", { hidden_act: "mish" }, "`hidden_act` other than"],
  [
    "mistral_swa",
    { rope_parameters: null, rope_scaling: { type: "ntk", factor: 2 } },
    "`rope_scaling.type` other than",
  ],
  ["phi3_longrope_long", { "rope_parameters.short_mscale": 1.2 }, "`rope_parameters.short_mscale` other than"],
  ["deepseek_v2", { topk_method: "noaux_tc" }, "`topk_method` other than"],
  ["gemma2", { layer_types: ["chunked_attention", "full_attention"] }, "`layer_types` other than"],
  ["jais", { position_embedding_type: "rotary" }, "`position_embedding_type` other than"],
  ["codegen", { n_head: 6, num_attention_heads: null }, "anything but as many heads as 4 divides"],
  [
    "falcon_40b",
    { parallel_attn: false },
    "`falcon`: anything but `parallel_attn` true where `new_decoder_architecture` is",
  ],
  ["llama_mha", { num_key_value_heads: 3 }, "anything but heads that can share key and value heads evenly"],
  ["starcoder2", { norm_type: "rms" }, "`norm_type` other than"],
])("what is refused is on FEATURES.md's list: %s %j", (golden, change, line) => {
  const raw: Record<string, unknown> = { ...readGoldenConfig(golden) };
  for (const [path, value] of Object.entries(change)) {
    const [field, inner] = path.split(".") as [string, string?];
    raw[field] = inner === undefined ? value : { ...(raw[field] as object), [inner]: value };
  }
  const architecture = architectureFor(raw);
  expect(() => architecture.build(new Config(raw))).toThrow(/^config\.json: /);
  expect(listed.some((one) => one.includes(`\`${architecture.id}\``) && one.includes(line))).toBe(true);
});
