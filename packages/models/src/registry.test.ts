import { readdirSync, readFileSync } from "node:fs";
import { goldenDir, goldenRoot } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { Config } from "./config.ts";
import { ModelError } from "./error.ts";
import { architectureFor, architectures } from "./registry.ts";

const read = (name: string, file: string) => JSON.parse(readFileSync(`${goldenDir(name)}/${file}`, "utf8"));
const known = readdirSync(goldenRoot).filter((name) => {
  if (name.startsWith("tokenizers") || name.includes(".")) return false;
  return architectures.some((one) => one.modelTypes.includes(read(name, "config.json").model_type));
});

describe("architectures", () => {
  it("have ids, model types and class names of their own", () => {
    for (const names of [
      architectures.map((one) => one.id),
      architectures.flatMap((one) => one.modelTypes),
      architectures.flatMap((one) => one.classNames),
    ])
      expect(new Set(names).size).toBe(names.length);
  });

  it.each(
    known.filter((name) => !name.startsWith("fmt_") && !name.startsWith("quant_") && name !== "santacoder_custom"),
  )("%s: both generations of keys give the same graph", (name) => {
    const [modern, legacy] = ["config.json", "config.legacy.json"].map((file) => {
      const raw = read(name, file);
      return architectureFor(raw).build(new Config(raw));
    });
    expect(modern).toEqual(legacy);
    expect(modern.outputs[0].type).toEqual({ dtype: "f32", shape: ["outputs", read(name, "config.json").vocab_size] });
  });

  it("are found by class name when model_type says nothing known", () => {
    expect(architectureFor({ architectures: ["LlamaForCausalLM"] }).id).toBe("llama");
    expect(architectureFor({ model_type: "starcoder", architectures: ["GPTBigCodeForCausalLM"] }).id).toBe(
      "gpt_bigcode",
    );
  });

  it.each([
    [{ model_type: "mamba" }, 'model_type "mamba" is not known; known: gpt2'],
    [{ architectures: ["FooModel"] }, "model_type is missing (architectures: FooModel); known: gpt2"],
  ])("refuse what they don't know: %j", (config, message) => {
    try {
      architectureFor(config);
      expect.unreachable();
    } catch (error) {
      expect(ModelError.isInstance(error) && error.code).toBe("unknown-architecture");
      expect((error as Error).message).toContain(message);
    }
  });
});
