import type { Tensor } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { Builder } from "../builder.ts";
import { dimValue } from "../dim.ts";
import type { Attrs, Graph, Value } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { type PassStep, programOf, runPipeline } from "../pass.ts";
import { padRows, randomSchedule, type ScheduleLimits, type Step, type Turn } from "../testing/histories.ts";
import { randomFloats, randomOf } from "../testing/random.ts";
import { corePasses } from "./index.ts";

/*
 * One meaning of attention, every form of its cache: random schedules through all of them, against a plain list of tokens for
 * each slot. Caches start as NaN.
 */

const VOCAB = 1000;
const CONTEXT = 24;
const SLOTS = 3;
const WINDOW = 5;
const [H, G, D, E] = [4, 2, 6, 5];

interface Model {
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** Tokens' vectors come from tables and their positions turn them, so that every token at every position is different. */
function model(kind: "attention" | "latent_attention", groups: number, attrs: Attrs): Model {
  const b = new Builder("toy");
  b.dim("tokens", { min: 1, max: 64 });
  const [ids, positions, slots] = ["ids", "positions", "slots"].map((name) => b.input(name, "i32", ["tokens"])) as [
    Value,
    Value,
    Value,
  ];
  const table = (name: string, width: number) => b.embed(b.weight({ op: "tensor", name, shape: [VOCAB, width] }), ids);
  const heads = (name: string, count: number, width: number) =>
    b.rotary(b.reshape(table(name, count * width), [count, width], 1), positions, {
      dims: 4,
      pairs: "half",
      freqs: [1, 0.3],
    });
  const out =
    kind === "attention"
      ? b.op(kind, [heads("q", H, D), heads("k", groups, D), heads("v", groups, E), positions, slots], attrs)
      : b.latentAttention(
          {
            qNope: heads("q", H, D),
            qRope: heads("qr", H, 4),
            c: b.reshape(heads("c", 1, E), [E], 2),
            kRope: b.reshape(heads("kr", 1, 4), [4], 2),
            wKb: b.weight({ op: "tensor", name: "kb", shape: [H, D, E] }),
            wVb: b.weight({ op: "tensor", name: "vb", shape: [H, 3, E] }),
            positions,
            slots,
          },
          { scale: 0.4 },
        );
  b.output(out, "out");
  const graph = b.finish();
  const random = randomOf(5);
  const weights = new Map(
    graph.weights.map(({ value }) => [value.id, randomFloats(random, value.type.shape as number[])]),
  );
  return { graph, weights };
}

/** Runs a form's graph for turns, as a session of that form would. */
interface Runner {
  step(turns: readonly Turn[]): ReadonlyMap<number, Float32Array>; // by slot, (tokens, width)
  fork(from: number, to: number, length: number): void;
}

type Hold = Map<string, Tensor>;

function emptyStates(graph: Graph, sizes: Record<string, number>, only: (value: Value) => boolean = () => true): Hold {
  return new Map(
    graph.states
      .filter(({ value }) => only(value))
      .map(({ value }) => {
        const shape = value.type.shape.map((dim) => dimValue(dim, sizes));
        const length = shape.reduce((a, b) => a * b, 1);
        const data =
          value.type.dtype === "i32" ? new Int32Array(length).fill(-1) : new Float32Array(length).fill(Number.NaN);
        return [value.id, { dtype: value.type.dtype, shape, data }];
      }),
  );
}

function build({ graph }: Model, steps: readonly PassStep[]): Graph {
  return runPipeline(programOf(graph), steps, { passes: corePasses }).nets[0]!.graph;
}

/** Splits an output (rows, width, …) padded on one side into the rows' tokens. */
function rowsOf(out: Tensor, rows: readonly (Turn | undefined)[], side: "left" | "right"): Map<number, Float32Array> {
  const seq = out.shape[1]!;
  const inner = out.data.length / rows.length / seq;
  const found = new Map<number, Float32Array>();
  rows.forEach((turn, row) => {
    if (!turn) return;
    const from = row * seq + (side === "left" ? seq - turn.tokens.length : 0);
    found.set(turn.slot, (out.data as Float32Array).slice(from * inner, (from + turn.tokens.length) * inner));
  });
  return found;
}

/** Slots as rows, absent ones idle. */
const bySlot = (turns: readonly Turn[]) =>
  Array.from({ length: SLOTS }, (_, slot) => turns.find((t) => t.slot === slot));

const columns = (rows: readonly (Turn | undefined)[], side: "left" | "right") => ({
  ids: padRows(rows, side, (turn, n) => turn.tokens[n]!, -1),
  positions: padRows(rows, side, (turn, n) => turn.at + n, -1),
});

function copyStates(states: Hold, from: number, to: number): void {
  for (const { shape, data } of states.values()) {
    const row = data.length / shape[0]!;
    data.copyWithin(to * row, from * row, (from + 1) * row);
  }
}

/** Packed tokens in one call, each with its slot. */
function packed(m: Model, steps: readonly PassStep[]): Runner {
  const graph = build(m, steps);
  let states = emptyStates(graph, { slots: SLOTS, context: CONTEXT });
  return {
    step(turns) {
      const flat = (column: (turn: Turn, n: number) => number): Tensor => {
        const data = Int32Array.from(turns.flatMap((turn) => turn.tokens.map((_, n) => column(turn, n))));
        return { dtype: "i32", shape: [data.length], data };
      };
      const inputs = {
        ids: flat((turn, n) => turn.tokens[n]!),
        positions: flat((turn, n) => turn.at + n),
        slots: flat((turn) => turn.slot),
      };
      const done = interpret(graph, { inputs, weights: m.weights, states });
      states = new Map(done.states);
      const width = done.outputs.out!.data.length / inputs.ids.data.length;
      let at = 0;
      return new Map(
        turns.map(({ slot, tokens }) => [
          slot,
          (done.outputs.out!.data as Float32Array).slice(at * width, (at += tokens.length) * width),
        ]),
      );
    },
    fork: (from, to) => copyStates(states, from, to),
  };
}

/** Row n is slot n, padded on the right; idle rows have no tokens. */
function padded(m: Model, steps: readonly PassStep[]): Runner {
  const graph = build(m, [{ pass: "pad" }, ...steps]);
  let states = emptyStates(graph, { batch: SLOTS, context: CONTEXT });
  return {
    step(turns) {
      const rows = bySlot(turns);
      const done = interpret(graph, { inputs: columns(rows, "right"), weights: m.weights, states });
      states = new Map(done.states);
      return rowsOf(done.outputs.out!, rows, "right");
    },
    fork: (from, to) => copyStates(states, from, to),
  };
}

/** Only the rows that have something to do, in any order, each with its slot's number. */
function batchIndexed(m: Model, steps: readonly PassStep[]): Runner {
  const graph = build(m, [{ pass: "pad", params: { slots: "row" } }, ...steps]);
  let states = emptyStates(graph, { slots: SLOTS, context: CONTEXT });
  return {
    step(turns) {
      const rows = turns.toReversed();
      const slots: Tensor = { dtype: "i32", shape: [rows.length], data: Int32Array.from(rows, (turn) => turn.slot) };
      const inputs = { ...columns(rows, "right"), slots };
      const done = interpret(graph, { inputs, weights: m.weights, states });
      states = new Map(done.states);
      return rowsOf(done.outputs.out!, rows, "right");
    },
    fork: (from, to) => copyStates(states, from, to),
  };
}

/** One shared index, padding on the left. */
function appending(m: Model, steps: readonly PassStep[], context: number): Runner {
  const graph = build(m, [{ pass: "pad" }, ...steps]);
  let states = emptyStates(graph, { batch: SLOTS, context });
  let index = 0;
  return {
    step(turns) {
      const rows = bySlot(turns);
      const inputs = columns(rows, "left");
      const at: Tensor = { dtype: "i32", shape: [], data: Int32Array.of(index) };
      const done = interpret(graph, { inputs: { ...inputs, index: at }, weights: m.weights, states });
      states = new Map(done.states);
      index += inputs.ids.shape[1]!;
      return rowsOf(done.outputs.out!, rows, "left");
    },
    fork: (from, to) => copyStates(states, from, to),
  };
}

/** A net for a prompt's beginning and one for what follows; the host writes what comes out behind the history. */
function history(m: Model, params: Attrs): Runner {
  const form = (past: boolean): Graph =>
    build(m, [{ pass: "pad" }, { pass: "cache-form", params: { form: "history", past, ...params } }]);
  const [first, later] = [form(false), form(true)];
  const held = emptyStates(later, { batch: SLOTS, past: CONTEXT });
  // A host that makes the masks answers for what they hide: places that were never written are 0.
  if (params.mask === "input") for (const { data } of held.values()) data.fill(0 as never);
  const heads = params.layout === "heads";
  const part = (slot: number): Hold =>
    new Map(
      [...held].map(([id, { dtype, shape, data }]) => {
        const row = data.length / SLOTS;
        return [id, { dtype, shape: shape.with(0, 1), data: data.slice(slot * row, (slot + 1) * row) }];
      }),
    );
  const store = (slot: number, at: number, news: ReadonlyMap<string, Tensor>) => {
    for (const [id, { shape, data }] of news) {
      const to = held.get(id)!;
      const [count, outer] = heads ? [shape[2]!, shape[1]!] : [shape[1]!, 1];
      const inner = data.length / count / outer;
      for (let o = 0; o < outer; o++)
        to.data.set(
          data.slice(o * count * inner, (o + 1) * count * inner) as never,
          ((slot * outer + o) * CONTEXT + at) * inner,
        );
    }
  };
  return {
    step: (turns) =>
      new Map(
        turns.map((turn) => {
          const graph = turn.at === 0 ? first : later;
          const states = turn.at === 0 ? new Map() : part(turn.slot);
          const usual = columns([turn], "right");
          const given: Record<string, Tensor> = { ...usual, ...masks(turn, turn.at === 0 ? 0 : CONTEXT) };
          const inputs = Object.fromEntries(graph.inputs.map(({ id }) => [id, given[id]!]));
          const done = interpret(graph, { inputs, weights: m.weights, states });
          const { out, ...news } = done.outputs;
          store(turn.slot, turn.at, turn.at === 0 ? new Map(Object.entries(news)) : done.states);
          return [turn.slot, out!.data as Float32Array] as const;
        }),
      ),
    fork: (from, to) => copyStates(held, from, to),
  };
}

/** Masks as a host makes them: its places before the row's first token, then the row's own. */
function masks(turn: Turn, past: number): Record<string, Tensor> {
  const seq = turn.tokens.length;
  const make = (window: number): Tensor => {
    const data = new Float32Array(seq * (past + seq)).fill(-1e30);
    for (let q = 0; q < seq; q++)
      for (let key = 0; key < turn.at + q + 1; key++) {
        const isNear = key > turn.at + q - window;
        if (isNear) data[q * (past + seq) + (key < turn.at ? key : past + key - turn.at)] = 0;
      }
    return { dtype: "f32", shape: [1, seq, past + seq], data };
  };
  return { mask: make(CONTEXT), [`mask.window_${WINDOW}`]: make(WINDOW) };
}

/** The second source: the whole history of a slot through the graph without a cache, its last tokens read off. */
function recomputing(m: Model): Runner {
  const graph = build(m, []);
  const held = Array.from({ length: SLOTS }, () => [] as number[]);
  return {
    step: (turns) =>
      new Map(
        turns.map(({ slot, at, tokens }) => {
          held[slot]!.splice(at, Number.POSITIVE_INFINITY, ...tokens);
          const ids = held[slot]!;
          const column = (values: readonly number[]): Tensor => ({
            dtype: "i32",
            shape: [values.length],
            data: Int32Array.from(values),
          });
          const inputs = { ids: column(ids), positions: column(ids.map((_, n) => n)), slots: column(ids.map(() => 0)) };
          const out = interpret(graph, { inputs, weights: m.weights }).outputs.out!;
          const width = out.data.length / ids.length;
          return [slot, (out.data as Float32Array).slice(at * width)] as const;
        }),
      ),
    fork: (from, to, length) => {
      held[to] = held[from]!.slice(0, length);
    },
  };
}

/** The first step where the two differ, or undefined. */
function firstDifference(schedule: readonly Step[], runner: Runner, reference: Runner): string | undefined {
  for (const [n, step] of schedule.entries()) {
    if (step.kind === "fork") {
      for (const one of [runner, reference]) one.fork(step.from, step.to, step.length);
      continue;
    }
    const [found, wanted] = [runner.step(step.turns), reference.step(step.turns)];
    for (const [slot, row] of wanted) {
      const other = found.get(slot)!;
      const same = other.length === row.length && row.every((x, i) => Math.abs(x - other[i]!) < 1e-5);
      if (!same) return `step ${n}, slot ${slot}, at ${step.turns.find((t) => t.slot === slot)!.at}`;
    }
  }
  return undefined;
}

/** How many of `runs` random schedules go wrong. */
function failures(make: () => Runner, m: Model, limits: Partial<ScheduleLimits> = {}, runs = 8, steps = 25): number {
  let bad = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const all = { slots: SLOTS, context: CONTEXT, chunk: 4, rewind: CONTEXT, fork: true, ...limits };
    if (firstDifference(randomSchedule(randomOf(seed), all, steps), make(), recomputing(m)) !== undefined) bad++;
  }
  return bad;
}

const slopes = [0.5, 0.25, 0.125, 0.0625];
const MODELS: readonly (readonly [string, Model])[] = [
  ["grouped heads", model("attention", G, { scale: 0.4 })],
  ["multi-query", model("attention", 1, { scale: 0.4 })],
  ["a sliding window", model("attention", G, { scale: 0.4, window: WINDOW })],
  ["ALiBi and soft-cap", model("attention", G, { scale: 0.4, softcap: 2, alibi: { slopes, anchor: "relative" } })],
  ["ALiBi by key, rounded", model("attention", H, { scale: 0.4, alibi: { slopes, anchor: "key", round: "bf16" } })],
  ["latent attention", model("latent_attention", 1, {})],
];

const cache = (form: string, params: Attrs = {}): PassStep => ({ pass: "cache-form", params: { form, ...params } });
const heads = { layout: "heads" };

describe.each(MODELS)("%s, through every form of the cache", (_, m) => {
  it.each([
    ["fused, packed", () => packed(m, [cache("fused")])],
    ["fused, packed, lowered", () => packed(m, [cache("fused"), { pass: "lower" }])],
    ["fused, padded", () => padded(m, [cache("fused")])],
    ["fused, by head, lowered", () => padded(m, [cache("fused", heads), { pass: "lower" }])],
    ["scatter, packed", () => packed(m, [cache("scatter")])],
    ["scatter, padded", () => padded(m, [cache("scatter")])],
    ["scatter, by head, with batch index", () => batchIndexed(m, [cache("scatter", heads), { pass: "lower" }])],
    ["history", () => history(m, {})],
    ["history, by head", () => history(m, heads)],
    ["history, masks from the host", () => history(m, { mask: "input" })],
  ])("%s", (_name, make) => {
    expect(failures(make, m)).toBe(0);
  });

  it("append, left padding, rows that idle and go back", () => {
    const make = () => appending(m, [cache("append"), { pass: "lower" }], 100);
    expect(failures(make, m, {})).toBe(0);
  });

  it("none: the whole history every time", () => {
    const whole = build(m, [cache("none")]);
    expect(whole.states).toEqual([]);
    expect(whole.ops).toEqual(m.graph.ops);
  });
});

describe("a ring for a sliding window", () => {
  const [, m] = MODELS[2]!;
  const ring = (chunk: number, rewind: number) => () =>
    padded(m, [cache("scatter", { ring: { chunk, rewind } }), { pass: "lower" }]);

  it("serves the chunks and ways back that it was made for", () => {
    expect(failures(ring(4, 0), m, { rewind: 0, fork: false }, 15)).toBe(0);
    expect(failures(ring(4, 4), m, { rewind: 4, fork: false }, 15)).toBe(0);
    expect(failures(ring(4, 6), m, { rewind: 6, fork: false }, 15)).toBe(0);
  });

  it("doesn't serve longer ones: the bound is tight", () => {
    expect(failures(ring(3, 0), m, { chunk: 4, rewind: 0, fork: false }, 15)).toBeGreaterThan(0);
    expect(failures(ring(4, 4), m, { rewind: 6, fork: false }, 15)).toBeGreaterThan(0);
  });

  it("is as long as it must be, and only for windowed layers", () => {
    const graph = build(m, [{ pass: "pad" }, cache("scatter", { ring: { chunk: 4, rewind: 6 } })]);
    expect(graph.states.map(({ value }) => value.type.shape[1])).toEqual([WINDOW + 5, WINDOW + 5]);
    const [, plain] = MODELS[0]!;
    const full = build(plain, [{ pass: "pad" }, cache("scatter", { ring: { chunk: 4, rewind: 6 } })]);
    expect(full.states.map(({ value }) => value.type.shape[1])).toEqual(["context", "context"]);
  });
});

describe("caches", () => {
  it("of latent attention are one tensor a layer", () => {
    const [, m] = MODELS[5]!;
    for (const form of ["fused", "scatter"])
      expect(build(m, [cache(form)]).states.map(({ value }) => value.id)).toEqual(["cache.0.latent"]);
  });

  it("hold another dtype when asked", () => {
    const [, m] = MODELS[0]!;
    const graph = build(m, [cache("scatter", { dtype: "f16" })]);
    expect(graph.states.map(({ value }) => value.type.dtype)).toEqual(["f16", "f16"]);
  });

  it("are given once", () => {
    const [, m] = MODELS[0]!;
    expect(() => build(m, [cache("fused"), cache("scatter")])).toThrow("toy has a cache already (cache.0.keys)");
  });

  it("whose masks come in don't ask for positions that turn nothing", () => {
    const b = new Builder("unturned");
    b.dim("tokens", { min: 1, max: 9 });
    const [ids, positions, slots] = ["ids", "positions", "slots"].map((name) => b.input(name, "i32", ["tokens"]));
    const x = b.reshape(b.embed(b.weight({ op: "tensor", name: "x", shape: [VOCAB, 6] }), ids!), [2, 3], 1);
    b.output(b.attention({ q: x, k: x, v: x, positions: positions!, slots: slots! }, { scale: 1 }), "out");
    const graph = b.finish();
    const inputs = (mask: string) =>
      build({ graph, weights: new Map() }, [{ pass: "pad" }, cache("history", { mask })]).inputs.map(({ id }) => id);
    expect(inputs("input")).toEqual(["ids", "mask"]);
    expect(inputs("derived")).toEqual(["ids", "positions"]);
  });

  it("that need padded rows say so", () => {
    const [, m] = MODELS[0]!;
    for (const form of ["append", "history"])
      expect(() => build(m, [cache(form)])).toThrow("needs padded rows that are their own slots: run pad before it");
  });
});
