import { memorySource, type WeightSource } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { interpret } from "./interpret.ts";
import { ReferenceModel } from "./reference-model.ts";
import { StreamedReference } from "./streamed-reference.ts";
import { intTensor } from "./testing/random.ts";
import { weightsFor } from "./testing/run-toy.ts";
import { toyDecoder } from "./testing/toy.ts";

const graph = toyDecoder();
const weights = weightsFor(graph);
const open = (options = { slots: 2, context: 16 }) => new ReferenceModel(graph, weights, options);
const ids = [3, 1, 4, 1, 5, 9, 2];

/** The whole prompt through the graph as built, which has no cache. */
function whole(tokens: readonly number[]): Float32Array {
  const n = tokens.length;
  const inputs = {
    ids: intTensor([n], tokens),
    positions: intTensor([n], [...tokens.keys()]),
    slots: intTensor(
      [n],
      tokens.map(() => 0),
    ),
    rows: intTensor([n], [...tokens.keys()]),
  };
  return interpret(graph, { inputs, weights }).outputs.logits!.data as Float32Array;
}

describe("the reference model", () => {
  it("gives what the graph without a cache gives, in one piece, in chunks and token by token", () => {
    const wanted = [...whole(ids)];
    for (const chunk of [7, 3, 1]) {
      const model = open();
      const logits: number[] = [];
      for (let at = 0; at < ids.length; at += chunk)
        logits.push(...model.step([{ slot: 1, at, tokens: ids.slice(at, at + chunk) }])[0]!.logits);
      expect(logits).toEqual(wanted);
    }
  });

  it("goes back by `at`, keeps slots apart and answers for the last tokens asked for", () => {
    const model = open();
    model.step([
      { slot: 0, at: 0, tokens: [7, 7, 7, 7] },
      { slot: 1, at: 0, tokens: ids },
    ]);
    const [a, b] = model.step([
      { slot: 1, at: 2, tokens: [8, 8, 6], last: 1 },
      { slot: 0, at: 4, tokens: [2], last: 0 },
    ]);
    expect([...a!.logits]).toEqual([...whole([3, 1, 8, 8, 6]).slice(-11)]);
    expect(b!.logits.length).toBe(0);
  });

  it("hands out the residual stream after every block", () => {
    const { hidden } = open().step([{ slot: 0, at: 0, tokens: ids }])[0]!;
    expect(hidden.length).toBe(3);
    for (const stream of hidden) expect(stream.length).toBe(ids.length * 8);
    const table = weights.get("embed")!.data as Float32Array;
    expect([...hidden[0]!.slice(0, 8)]).toEqual([...table.slice(3 * 8, 4 * 8)]);
  });

  it("shows what was never written", () => {
    const { logits } = open().step([{ slot: 0, at: 3, tokens: [1] }])[0]!;
    expect(logits.every(Number.isNaN)).toBe(true);
  });

  it("refuses a position past its cache, a token past the vocabulary and a slot that isn't there", () => {
    const step = (slot: number, at: number, token: number) => () => open().step([{ slot, at, tokens: [token] }]);
    expect(step(0, 16, 1)).toThrow("attention block_0.attention: position 16 is past a cache of 16");
    expect(step(0, 0, 11)).toThrow("embed embedding.embed: id 11 is not in a table of 11");
    expect(step(2, 0, 1)).toThrow("attention block_0.attention: slot 2 is not one of 2");
  });
});

describe("the streamed reference", () => {
  it("is the same, and reads every weight once a step", async () => {
    const source = memorySource(Object.fromEntries(weights));
    let read = 0;
    const watched: WeightSource = {
      ...source,
      names: () => source.names(),
      get: (name) => source.get(name),
      read: async (span, into) => {
        read += span.length;
        await source.read(span, into);
      },
    };
    const streamed = new StreamedReference(graph, watched, { slots: 2, context: 16 });
    const kept = open();
    for (const [at, tokens] of [
      [0, ids],
      [5, [4, 4]],
    ] as const) {
      read = 0;
      const rows = [{ slot: 1, at, tokens, last: 2 }];
      expect(await streamed.step(rows)).toEqual(kept.step(rows));
      expect(read).toBe([...weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0));
    }
  });
});

describe("the interpreter", () => {
  it("says which tensor is missing or doesn't fit", () => {
    const run = (inputs: Record<string, ReturnType<typeof intTensor>>) => () => interpret(graph, { inputs, weights });
    const n = (count: number) => intTensor([count], Array(count).fill(0));
    expect(run({ ids: n(2) })).toThrow("no tensor was given for input positions, i32[tokens]");
    expect(run({ ids: n(2), positions: n(3), slots: n(2), rows: n(1) })).toThrow("positions is i32[tokens], not [3]");
    expect(run({ ids: intTensor([1, 2], [1, 2]) })).toThrow("ids is i32[tokens], not [1, 2]");
  });
});
