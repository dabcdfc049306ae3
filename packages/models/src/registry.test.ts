import { goldenNames, readGolden, readGoldenConfig } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { Config } from "./config.ts";
import { ModelError } from "./error.ts";
import { architectureFor, architectures } from "./registry.ts";
import { goldenConfig } from "./testing/golden-model.ts";

describe("architectures", () => {
  it("have ids and class names of their own, and model types too but for layouts of one type", () => {
    for (const names of [architectures.map((one) => one.id), architectures.flatMap((one) => one.classNames)])
      expect(new Set(names).size).toBe(names.length);
  });

  it.each(goldenNames())("%s: both generations of keys give the same graph", (name) => {
    const [modern, legacy] = [goldenConfig(name, "config.json")!, goldenConfig(name, "config.legacy.json")];
    const graph = architectureFor(modern.raw).build(modern);
    expect(graph.outputs[0].type).toEqual({ dtype: "f32", shape: ["outputs", readGolden(name).vocab_size] });
    if (legacy) expect(architectureFor(legacy.raw).build(legacy)).toEqual(graph);
  });

  it("are found by class name where model_type is absent, or shared", () => {
    expect(architectureFor({ architectures: ["LlamaForCausalLM"] }).id).toBe("llama");
    expect(architectureFor({ model_type: "gpt2", architectures: ["GPT2LMHeadCustomModel"] }).id).toBe("santacoder");
    expect(architectureFor({ model_type: "gpt2", architectures: ["GPT2LMHeadModel"] }).id).toBe("gpt2");
  });

  it.each([
    [{ model_type: "flurb", architectures: ["LlamaForCausalLM"] }, 'model_type "flurb" is not known; known: baichuan'],
    [{ model_type: 7, architectures: ["LlamaForCausalLM"] }, "model_type is 7, not a string"],
    [{ model_type: "__proto__" }, 'model_type "__proto__" is not known'],
    [{ model_type: "mamba" }, 'model_type "mamba" is not known; known: baichuan'],
    [{ architectures: ["FooModel"] }, "model_type is missing (architectures: FooModel); known: baichuan"],
  ])("refuse what they don't know: %j", (config, message) => {
    try {
      architectureFor(config);
      expect.unreachable();
    } catch (error) {
      expect(ModelError.isInstance(error) && error.code).toBe("unknown-architecture");
      expect((error as Error).message).toContain(message);
    }
  });

  it("name what is known once each, in order", () => {
    let known: readonly string[] = [];
    try {
      architectureFor({ model_type: "flurb" });
    } catch (error) {
      known = /known: (.*)$/.exec((error as Error).message)![1]!.split(", ");
    }
    expect(known).toContain("llama");
    expect(known).toEqual([...new Set(known)].sort());
  });

  it.each([
    [{ num_hidden_layers: 20_000 }, "num_hidden_layers is 20000, not a whole number of at most 4096"],
    [{ head_dim: 2 ** 33 }, "head_dim is 8589934592, not a whole number of at most"],
    [{ rms_norm_eps: -1 }, "rms_norm_eps is -1, not a number above 0"],
  ])("refuse sizes that no model has, before building anything: %j", (change, message) => {
    const raw = { ...readGoldenConfig("llama_mha"), ...change };
    expect(() => architectureFor(raw).build(new Config(raw))).toThrow(message);
  });
});
