import { openCheckpoint } from "@llm/checkpoint";
import { goldenDir, goldenNames } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { Config } from "./config.ts";
import { architectureFor } from "./registry.ts";
import { goldenConfig } from "./testing/golden-model.ts";
import { unreadFields } from "./unread.ts";

type Raw = Readonly<Record<string, unknown>>;

function unreadOf(raw: Raw): readonly string[] {
  const architecture = architectureFor(raw);
  const config = new Config(raw);
  architecture.build(config);
  return unreadFields(config, architecture);
}

describe("unreadFields", () => {
  it.each(goldenNames())("has nothing to say of %s, in either generation of keys", (name) => {
    for (const file of ["config.json", "config.legacy.json"] as const) {
      const config = goldenConfig(name, file);
      if (config) expect(unreadOf(config.raw)).toEqual([]);
    }
  });

  it("nor where tensors say more than the config: SantaCoder's own layout", async () => {
    const { config: raw, weights, close } = await openCheckpoint(goldenDir("santacoder_custom"));
    const [config, architecture] = [new Config({ ...raw, n_inner: 5 }), architectureFor(raw)];
    architecture.build(config, (tensor) => weights.get(tensor)?.shape);
    await close();
    expect(unreadFields(config, architecture)).toEqual([]);
  });

  it("names what nobody reads at any depth, and nothing that is null", () => {
    const golden = (name: string) => goldenConfig(name, "config.json")!.raw;
    const mpt = golden("mpt");
    expect(unreadOf({ ...mpt, sparkle: 1, nothing: null })).toEqual(["sparkle"]);
    expect(unreadOf({ ...mpt, attn_config: { ...(mpt.attn_config as Raw), sparkle: 1 } })).toEqual([
      "attn_config.sparkle",
    ]);
    expect(unreadOf({ ...golden("llama_mha"), sparkle: { size: 1 } })).toEqual(["sparkle"]);
    const wrapped = {
      model_type: "gemma3",
      text_config: { ...golden("gemma3_text"), sparkle: 1 },
      vision_config: { a: 1 },
    };
    expect(unreadOf(wrapped)).toEqual(["text_config.sparkle"]);
    const scaled = { rope_type: "yarn", factor: 2, original_max_position_embeddings: 64, sparkle: 1 };
    expect(unreadOf({ ...golden("llama_mha"), rope_parameters: null, rope_scaling: scaled })).toEqual([
      "rope_scaling.sparkle",
    ]);
  });
});
