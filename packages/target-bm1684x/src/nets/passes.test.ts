import { corePasses, type Graph, loadWeights, programOf, ReferenceModel, runPipeline } from "@llm/core-ir";
import { readGoldenConfig } from "@llm/fixtures";
import { shapeOf } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import { FAMILIES } from "../testing/families.ts";
import { type RandomModel, randomModel } from "../testing/random-model.ts";

type Steps = Parameters<typeof runPipeline>[1];

function after(graph: Graph, steps: Steps): Graph {
  const passes = [...corePasses, ...(bm1684xTarget.passes ?? [])];
  return runPipeline(programOf(graph), steps, { passes }).nets[0]!.graph;
}

async function logitsOf(graph: Graph, { source }: RandomModel): Promise<Float32Array> {
  const reference = new ReferenceModel(graph, await loadWeights(graph, source), { context: 16 });
  return reference.step([{ slot: 0, at: 0, tokens: [5, 9, 300, 2, 77, 13] }])[0]!.logits;
}

function furthest(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

describe("scale-queries", () => {
  // Plain, biased by distance, biased by key before the scale, capped.
  it.each(["llama_gqa_llama3", "mpt", "baichuan2_13b", "gemma2"])("changes nothing of %s", async (name) => {
    const model = randomModel(readGoldenConfig(name), 2);
    const scaled = after(model.graph, [{ pass: "scale-queries" }]);
    expect(new Set(scaled.ops.filter(({ kind }) => kind === "attention").map(({ attrs }) => attrs.scale))).toEqual(
      new Set([1]),
    );
    expect(furthest(await logitsOf(scaled, model), await logitsOf(model.graph, model))).toBeLessThan(2e-4);
  });
});

describe("near-frequencies", () => {
  it("changes nothing up to the length at which frequencies do", async () => {
    const model = randomModel(readGoldenConfig("llama_dynamic_ntk"), 2);
    const rotary = model.graph.ops.find(({ kind, attrs }) => kind === "rotary" && attrs.beyond)!;
    const { above } = rotary.attrs.beyond as { above: number };
    const near = after(model.graph, [{ pass: "near-frequencies", params: { context: above } }]);
    expect(near.inputs.map(({ id }) => id)).not.toContain("reach");
    expect(furthest(await logitsOf(near, model), await logitsOf(model.graph, model))).toBe(0);
    const longer = [{ pass: "near-frequencies", params: { context: above + 1 } }];
    expect(() => after(model.graph, longer)).toThrow(`choose a length up to ${above}`);
  });
});

describe("bm1684x-quantise", () => {
  const quantised = (config: Readonly<Record<string, unknown>>, bits: number) => {
    const model = randomModel(config, 2);
    return {
      model,
      graph: after(model.graph, [{ pass: "bm1684x-quantise", params: { bits, group: 64, headBits: 8 } }]),
    };
  };
  const formats = ({ weights }: Graph) =>
    new Map(weights.map(({ value, expr }) => [value.id, expr.op === "encode" ? expr.format.format : "16 bits"]));

  it("keeps linears in the chip's format, the head in 8 bits, and tables as they are", () => {
    const found = formats(quantised(FAMILIES.llama!, 4).graph);
    expect(found.get("model.layers.0.mlp.up_proj.weight_2")).toBe("bm1684x_w4");
    expect(found.get("lm_head.weight_2")).toBe("bm1684x_w8");
    expect(found.get("model.embed_tokens.weight")).toBe("16 bits");
  });

  it("fills up a head whose vocabulary doesn't fill the lanes, and cuts off what that makes", async () => {
    const { model, graph } = quantised({ ...FAMILIES.llama, vocab_size: 4097, num_hidden_layers: 1 }, 8);
    const head = graph.weights.find(({ expr }) => expr.op === "encode" && shapeOf(expr)[0]! > 4096)!;
    expect(shapeOf(head.expr)).toEqual([4160, 256]);
    expect(graph.outputs[0]!.type.shape.at(-1)).toBe(4097);
    const [rounded, exact] = [await logitsOf(graph, model), await logitsOf(model.graph, model)];
    expect(furthest(rounded, exact)).toBeLessThan(0.2);
    expect(furthest(rounded, exact)).toBeGreaterThan(0);
  });

  it("leaves linears that don't fit in 16 bits", () => {
    // 48 wide: neither 64 lanes nor groups of 64.
    const found = formats(quantised(readGoldenConfig("llama_gqa_llama3"), 4).graph);
    expect(new Set(found.values())).toEqual(new Set(["16 bits"]));
  });
});
