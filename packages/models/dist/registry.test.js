import { goldenNames, readGolden } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { ModelError } from "./error.js";
import { architectureFor, architectures } from "./registry.js";
import { goldenConfig } from "./testing/golden-model.js";
describe("architectures", () => {
    it("have ids and class names of their own, and model types too but for layouts of one type", () => {
        for (const names of [architectures.map((one) => one.id), architectures.flatMap((one) => one.classNames)])
            expect(new Set(names).size).toBe(names.length);
    });
    it.each(goldenNames())("%s: both generations of keys give the same graph", (name) => {
        const [modern, legacy] = [goldenConfig(name, "config.json"), goldenConfig(name, "config.legacy.json")];
        const graph = architectureFor(modern.raw).build(modern);
        expect(graph.outputs[0].type).toEqual({ dtype: "f32", shape: ["outputs", readGolden(name).vocab_size] });
        if (legacy)
            expect(architectureFor(legacy.raw).build(legacy)).toEqual(graph);
    });
    it("are found by class name when model_type says nothing known", () => {
        expect(architectureFor({ architectures: ["LlamaForCausalLM"] }).id).toBe("llama");
        expect(architectureFor({ model_type: "starcoder", architectures: ["GPTBigCodeForCausalLM"] }).id).toBe("gpt_bigcode");
    });
    it.each([
        [{ model_type: "mamba" }, 'model_type "mamba" is not known; known: baichuan'],
        [{ architectures: ["FooModel"] }, "model_type is missing (architectures: FooModel); known: baichuan"],
    ])("refuse what they don't know: %j", (config, message) => {
        try {
            architectureFor(config);
            expect.unreachable();
        }
        catch (error) {
            expect(ModelError.isInstance(error) && error.code).toBe("unknown-architecture");
            expect(error.message).toContain(message);
        }
    });
});
//# sourceMappingURL=registry.test.js.map