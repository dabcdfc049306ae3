import { describe, expect, test } from "vitest";
import { Builder } from "../builder.ts";
import type { Graph, Value } from "../graph.ts";
import { programOf, runPipeline } from "../pass.ts";
import { corePasses } from "../passes/index.ts";
import { parseGraph } from "../text/parse.ts";
import { printGraph } from "../text/print.ts";
import { describeMesh } from "./describe.ts";
import { interpretProgram } from "./interpret-program.ts";
import { placeGraph } from "./partition.ts";
import { evenSpans, placementText } from "./placement.ts";
import { headSpans } from "./rules/heads.ts";

const weight = (b: Builder, name: string, ...shape: number[]) => b.weight({ op: "tensor", name, shape });

function graphOf(make: (b: Builder, x: Value) => Value): Graph {
  const b = new Builder("test");
  const x = b.input("x", "f32", [b.dim("tokens", { min: 1, max: 64 }), 8]);
  // A norm at the end, so that a linear before it isn't the head, which is split by its vocabulary.
  b.output(
    b.block("block_0", () => b.norm(make(b, x), { kind: "rms", eps: 1e-5 })),
    "y",
  );
  return b.finish();
}

/** What is done for each op: its kind, where its result is, and what is said before or after. */
function placed(graph: Graph, mp: number): string[] {
  return placeGraph(graph, { mp }).ops.map(({ op, shard, conversions, after }) => {
    const said = [...conversions, ...after].map(({ via }) => via).filter((via) => via !== "cut" && via !== "first");
    return [op.kind, ...shard.outs.map(placementText), ...said].join("; ");
  });
}

test("spans cover an axis as evenly as it goes, in steps where there are any", () => {
  expect(evenSpans(5, 2)).toEqual([
    [0, 2],
    [2, 5],
  ]);
  expect(evenSpans(96, 2, 32)).toEqual([
    [0, 32],
    [32, 96],
  ]);
  expect(evenSpans(3, 4)).toBeUndefined();
});

test.each([
  [
    8,
    4,
    2,
    [
      [0, 4],
      [4, 8],
    ],
    [
      [0, 2],
      [2, 4],
    ],
  ],
  [
    6,
    3,
    2,
    [
      [0, 2],
      [2, 6],
    ],
    [
      [0, 1],
      [1, 3],
    ],
  ], // whole groups, though one has twice as many
  [
    4,
    1,
    2,
    [
      [0, 2],
      [2, 4],
    ],
    [
      [0, 1],
      [0, 1],
    ],
  ], // one key head for all
  [
    8,
    2,
    4,
    [
      [0, 2],
      [2, 4],
      [4, 6],
      [6, 8],
    ],
    [
      [0, 1],
      [0, 1],
      [1, 2],
      [1, 2],
    ],
  ],
  [
    6,
    2,
    3,
    [
      [0, 3],
      [3, 4],
      [4, 6],
    ],
    [
      [0, 1],
      [1, 2],
      [1, 2],
    ],
  ],
])("%i heads over %i on %i ranks", (heads, groups, ranks, queries, keys) => {
  expect(headSpans(heads, groups, ranks)).toEqual({ queries, keys });
});

test("no heads for everybody are heads for nobody", () => {
  expect(headSpans(2, 1, 3)).toBeUndefined();
  expect(headSpans(3, 3, 4)).toBeUndefined();
});

describe("ops", () => {
  test("two linears: rows, then columns, and one sum", () => {
    const graph = graphOf((b, x) =>
      b.linear(b.activation(b.linear(x, weight(b, "up", 12, 8), weight(b, "b", 12)), "gelu"), weight(b, "down", 8, 12)),
    );
    expect(placed(graph, 2)).toEqual([
      "linear; -1: 0…6 | 6…12",
      "activation; -1: 0…6 | 6…12",
      "linear; sum",
      "norm; whole; all_reduce",
    ]);
  });

  test("a fused gate is taken apart, each half by rows", () => {
    const graph = graphOf((b, x) => {
      const [gate, up] = b.split(b.linear(x, weight(b, "both", 20, 8)), [10, 10]);
      return b.linear(b.glu(gate!, up!, "silu"), weight(b, "down", 8, 10));
    });
    expect(placed(graph, 2).filter((line) => line.startsWith("linear; -1: 0…5 | 5…10"))).toHaveLength(2);
  });

  test("terms that meet are added first and summed once", () => {
    const graph = graphOf((b, x) => {
      const part = (n: number) =>
        b.linear(b.activation(b.linear(x, weight(b, `up${n}`, 12, 8)), "gelu"), weight(b, `down${n}`, 8, 12));
      return b.scale(b.add(part(0), part(1)), 3);
    });
    expect(placed(graph, 2).filter((line) => line.includes("all_reduce"))).toHaveLength(1);
  });

  test("a norm over what is split sums what its mean is made of", () => {
    const graph = graphOf((b, x) => {
      const normed = b.norm(b.linear(x, weight(b, "up", 12, 8)), { kind: "rms", eps: 1e-5 }, weight(b, "n", 12));
      return b.linear(b.reshape(b.reshape(normed, [3, 4], 1), [12], 2), weight(b, "down", 8, 12));
    });
    // Nothing says that this width had best be split, as attention would: so it isn't.
    expect(placed(graph, 2).join()).not.toContain("|");
  });

  test("what has no rule is whole, whatever it takes", () => {
    const graph = graphOf((b, x) => b.cumsum(b.linear(x, weight(b, "w", 8, 8)), 0));
    expect(placed(graph, 2)).toEqual(["linear; whole", "cumsum; whole", "norm; whole"]);
  });
});

test("a shard is a graph like any other: printed, parsed, and its leaves are slices", () => {
  const graph = graphOf((b, x) =>
    b.linear(b.activation(b.linear(x, weight(b, "up", 12, 8)), "gelu"), weight(b, "down", 8, 12), weight(b, "bias", 8)),
  );
  const program = runPipeline(programOf(graph), [{ pass: "partition", params: { mp: 2 } }], { passes: corePasses });
  const [first, second] = program.nets.map(({ graph: shard }) => shard);
  expect(printGraph(parseGraph(printGraph(first!)))).toBe(printGraph(first!));
  expect(first!.weights.map(({ value }) => value.id)).toEqual(["up", "down", "bias"]);
  expect(second!.weights.map(({ expr }) => expr)).toEqual([
    { op: "slice", of: { op: "tensor", name: "up", shape: [12, 8] }, axis: 0, start: 6, end: 12 },
    { op: "slice", of: { op: "tensor", name: "down", shape: [8, 12] }, axis: 1, start: 6, end: 12 },
  ]); // the bias is the first's to add
  expect(program.nets.map(({ rank }) => rank)).toEqual([0, 1]);
});

test("cut, a collective is moves that say how terms are put together", () => {
  const b = new Builder("test");
  b.output(b.linear(b.input("x", "f32", [b.dim("tokens", { min: 1, max: 64 }), 8]), weight(b, "w", 6, 8)), "y");
  const graph = b.finish();
  const steps = [{ pass: "partition", params: { mp: 2 } }, { pass: "cut-at-collectives" }];
  const program = runPipeline(programOf(graph), steps, { passes: corePasses });
  expect(program.nets.map(({ id }) => id)).toEqual(["rank0.0", "rank0.1", "rank1.0", "rank1.1"]);
  expect(program.moves.filter(({ to }) => to.net === "rank1.1")).toEqual(
    ["rank0.0", "rank1.0"].map((net) => ({
      from: { net, output: "y.part" },
      to: { net: "rank1.1", input: "y.heard" },
      combine: "concat",
      axis: -1,
    })),
  );
  const x = { dtype: "f32", shape: [1, 8], data: Float32Array.from({ length: 8 }, (_, i) => i) } as const;
  const rows = { dtype: "f32", shape: [3, 8], data: new Float32Array(24).fill(1) } as const;
  const { outputs } = interpretProgram(program, {
    inputs: { x },
    weights: (net) => new Map(net.graph.weights.map(({ value }) => [value.id, rows])),
  });
  expect(outputs.get("rank1.1")!.y!.data).toEqual(new Float32Array(6).fill(28));
});

describe("what can't be", () => {
  const graph = graphOf((b, x) => b.linear(x, weight(b, "w", 6, 8)));
  const run = (...steps: { pass: string; params?: object }[]) =>
    runPipeline(programOf(graph), steps as never, { passes: corePasses });

  test("is refused in one line", () => {
    expect(() => run({ pass: "partition", params: { mp: 0 } })).toThrow(/attribute mp is 0/);
    expect(() => run({ pass: "stages", params: { count: 2 } })).toThrow(/1 blocks can't be 2 stages/);
    expect(() => run({ pass: "partition", params: { mp: 2 } }, { pass: "partition", params: { mp: 2 } })).toThrow(
      /takes a program of one net/,
    );
  });
});

test("a mesh is drawn: alike blocks once, each rank's slices, and what is said", () => {
  const b = new Builder("drawn");
  let x = b.input("x", "f32", [b.dim("tokens", { min: 1, max: 64 }), 8]);
  for (let i = 0; i < 5; i++) {
    const entering = x;
    x = b.block(`block_${i}`, () =>
      b.add(
        entering,
        b.linear(
          b.activation(b.linear(entering, weight(b, `h.${i}.up`, 12, 8)), "gelu"),
          weight(b, `h.${i}.down`, 8, 12),
        ),
      ),
    );
  }
  b.output(x, "y");
  expect(describeMesh(b.finish(), { dp: 2, mp: 2 })).toBe(`mesh 2x2: 2 copies, each over 2 shards a layer
                    shard 1      shard 2
block_0 … block_4, 5 alike
  h.0.up [12, 8]    rows 0…6     rows 6…12
  h.0.down [8, 12]  columns 0…6  columns 6…12
  ⇄ all-reduce of block_0.linear_2 [tokens, 8]
`);
});
