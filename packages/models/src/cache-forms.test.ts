import { corePasses, dimValue, type Graph, interpret, type PassStep, programOf, runPipeline } from "@llm/core-ir";
import { goldenNames } from "@llm/fixtures";
import type { Tensor } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { type GoldenModel, goldenConfig, openGolden } from "./testing/golden-model.ts";

/*
 * Every architecture through every form of the cache: the prompt's logits, then greedy text with the cache, in primitives.
 * Random schedules through all forms are core-ir's test; here one row shows that no architecture's attention falls out.
 */

const CONTEXT = 96;
/** Greedy tokens compared: enough to read what was written while decoding, and beyond the shortest window. */
const STEPS = 6;

type States = ReadonlyMap<string, Tensor>;
type Step = (at: number, tokens: readonly number[]) => Float32Array; // logits of every token

const column = (values: readonly number[], shape = [1, values.length]): Tensor => ({
  dtype: "i32",
  shape,
  data: Int32Array.from(values),
});

function build(graph: Graph, ...steps: PassStep[]): Graph {
  const all = [{ pass: "pad" }, ...steps, { pass: "lower" }];
  return runPipeline(programOf(graph), all, { passes: corePasses }).nets[0].graph;
}

const cache = (form: string, params = {}): PassStep => ({ pass: "cache-form", params: { form, ...params } });

function empty(graph: Graph, sizes: Record<string, number>): States {
  return new Map(
    graph.states.map(({ value: { id, type } }) => {
      const shape = type.shape.map((dim) => dimValue(dim, { batch: 1, ...sizes }));
      const length = shape.reduce((a, b) => a * b, 1);
      const data = type.dtype === "i32" ? new Int32Array(length).fill(-1) : new Float32Array(length).fill(Number.NaN);
      return [id, { dtype: type.dtype, shape, data }];
    }),
  );
}

/** One row's call: whatever of the usual inputs the graph has. */
function call(graph: Graph, weights: States, states: States, at: number, tokens: readonly number[], index: number) {
  const every = tokens.map((_, n) => n);
  const given: Record<string, Tensor> = {
    ids: column(tokens),
    positions: column(every.map((n) => at + n)),
    reach: column(tokens.map(() => at + tokens.length)),
    rows: column(every, [tokens.length]),
    index: column([index], []),
  };
  const inputs = Object.fromEntries(graph.inputs.map(({ id }) => [id, given[id]]));
  return interpret(graph, { inputs, weights, states });
}

/** A form whose states are replaced at every step. */
function retained({ graph, weights }: GoldenModel, step: PassStep): Step {
  const net = build(graph, step);
  let states = empty(net, { context: CONTEXT });
  let index = 0;
  return (at, tokens) => {
    const done = call(net, weights, states, at, tokens, index);
    states = done.states;
    index += tokens.length;
    return done.outputs.logits.data as Float32Array;
  };
}

/** A net for the prompt and one for what follows; what comes out is written behind the history. */
function history({ graph, weights }: GoldenModel): Step {
  const nets = [false, true].map((past) => build(graph, cache("history", { past })));
  const held = empty(nets[1], { past: CONTEXT });
  return (at, tokens) => {
    const isFirst = at === 0;
    const done = call(nets[isFirst ? 0 : 1], weights, isFirst ? new Map() : held, at, tokens, 0);
    for (const [id, { data }] of held) {
      const news = isFirst ? done.outputs[id] : done.states.get(id)!;
      (data as Float32Array).set(news.data as Float32Array, (at * news.data.length) / tokens.length);
    }
    return done.outputs.logits.data as Float32Array;
  };
}

/** No cache: everything again. */
function recomputed({ graph, weights }: GoldenModel): Step {
  const net = build(graph, cache("none"));
  const ids: number[] = [];
  return (at, tokens) => {
    ids.splice(at, ids.length, ...tokens);
    const logits = call(net, weights, new Map(), 0, ids, 0).outputs.logits.data as Float32Array;
    return logits.subarray((at * logits.length) / ids.length);
  };
}

const FORMS: Readonly<Record<string, (model: GoldenModel) => Step>> = {
  fused: (model) => retained(model, cache("fused", { layout: "heads" })),
  scatter: (model) => retained(model, cache("scatter", { layout: "heads" })),
  "scatter with rings": (model) =>
    retained(model, cache("scatter", { ring: { chunk: model.golden.prompts[0].input_ids.length, rewind: 0 } })),
  append: (model) => retained(model, cache("append")),
  history,
  none: recomputed,
};

describe.each(goldenNames())("%s", (name) => {
  it("says the same through every form of the cache", async () => {
    const model = await openGolden(name, goldenConfig(name, "config.json")!);
    const { input_ids: prompt, greedy } = model.golden.prompts[0];
    const expected = model.arrays.get("p0.logits")!.data as Float32Array;
    for (const [form, make] of Object.entries(FORMS)) {
      const step = make(model);
      let logits = step(0, prompt);
      const worst = logits.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i])), 0);
      expect(worst, form).toBeLessThan(1e-3); // NaN is not
      const made: number[] = [];
      for (let at = prompt.length; made.length < STEPS; at++) {
        const last = logits.subarray(logits.length - model.golden.vocab_size);
        made.push(last.indexOf(Math.max(...last)));
        if (made.length < STEPS) logits = step(at, [made.at(-1)!]);
      }
      expect(made, form).toEqual(greedy.slice(0, STEPS));
    }
  });
});
