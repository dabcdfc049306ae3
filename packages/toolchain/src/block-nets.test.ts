import { interpret, loadWeights, type Net } from "@llm/core-ir";
import { goldenDir, readGolden } from "@llm/fixtures";
import { sizeOf, type Tensor } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { blockNets } from "./block-nets.ts";
import { type Model, openModel } from "./open-model.ts";

const row = (values: readonly number[]): Tensor => ({
  dtype: "i32",
  shape: [1, values.length],
  data: Int32Array.from(values),
});

/** Net after net over tokens at `at`; keys and values come out by the id of their state. */
async function run(
  model: Model,
  nets: readonly Net[],
  tokens: readonly number[],
  at: number,
  past: Map<string, Tensor>,
) {
  const positions = tokens.map((_, i) => at + i);
  const values: Record<string, Tensor> = {
    ids: row(tokens),
    positions: row(positions),
    reach: row(tokens.map(() => at + tokens.length)),
    rows: { dtype: "i32", shape: [1], data: Int32Array.of(tokens.length - 1) },
  };
  for (const { graph } of nets) {
    const inputs = Object.fromEntries(graph.inputs.map(({ id }) => [id, values[id]!]));
    const weights = await loadWeights(graph, model.weights);
    const { outputs, states } = interpret(graph, { inputs, weights, states: past });
    Object.assign(values, outputs);
    for (const [id, state] of states) past.set(id, state);
  }
  return values;
}

describe.each(["llama_gqa_llama3", "gpt_bigcode_mqa", "gpt2", "bloom"])("%s, block by block", (name) => {
  it("has a net for everything, and goes on from what it has seen", async () => {
    const model = await openModel(goldenDir(name));
    const nets = blockNets(model.graph, { cache: true });
    const count = model.card.blocks;
    const blocks = Array.from({ length: count }, (_, i) => `block_${i}`);
    expect(nets.map(({ id }) => id)).toEqual([
      "embedding",
      ...blocks,
      "lm_head",
      ...blocks.map((block) => block.replace("block", "block_cache")),
      "greedy_head",
      "sample_head",
    ]);
    const named = (...ids: string[]) => ids.map((id) => nets.find((net) => net.id === id)!);
    const first = named("embedding", ...blocks, "lm_head");
    const later = named("embedding", ...blocks.map((block) => block.replace("block", "block_cache")), "lm_head");

    const { input_ids: prompt, greedy } = readGolden(name).prompts[0]!;
    const values = await run(model, first, prompt, 0, new Map());
    const greedyHead = nets.find(({ id }) => id === "greedy_head")!.graph;
    const choose = (logits: Tensor) =>
      interpret(greedyHead, { inputs: { logits }, weights: new Map() }).outputs[greedyHead.outputs[0]!.id]!.data[0];
    expect(choose(values.logits!)).toBe(greedy[0]);

    // What a prompt's blocks hand on besides the stream are keys and values: the next token's past.
    const past = new Map<string, Tensor>();
    for (const [i, block] of blocks.entries()) {
      const made = nets.find(({ id }) => id === block)!.graph.outputs;
      const states = nets.find(({ id }) => id === `block_cache_${i}`)!.graph.states.map(({ value }) => value.id);
      for (const [at, { id }] of made.slice(-states.length).entries()) past.set(states[at]!, values[id]!);
    }
    for (const tensor of past.values()) expect(sizeOf(tensor.shape)).toBeGreaterThan(0);
    const next = await run(model, later, [greedy[0]!], prompt.length, past);
    expect(choose(next.logits!)).toBe(greedy[1]);
    await model.close();
  });
});

it("without a cache there is one net a block", async () => {
  const model = await openModel(goldenDir("gpt2"));
  const ids = blockNets(model.graph, { cache: false }).map(({ id }) => id);
  expect(ids.some((id) => id.startsWith("block_cache"))).toBe(false);
  expect(ids).toContain("block_0");
  await model.close();
});
