import type { Graph, Op, Value } from "../graph.ts";
import { blockResults } from "../passes/expose-blocks.ts";
import type { PlaceOptions } from "./place.ts";
import { evenSpans, type Placement, type Split, samePlacement, splitAt } from "./placement.ts";
import type { Shard, ShardQuestion } from "./shard-rule.ts";
import { shardsOf } from "./shards-of.ts";

/** Ops that act on each entry, or only look at the same entries in another way. */
const ENTRYWISE = new Set(["activation", "glu", "binary", "unary", "clip", "softcap", "round", "reshape", "split"]);
const SOURCES = new Set(["linear", "attention", "latent_attention"]);

/**
 * How values had best be split, for the ops that use them: found backwards, from outputs, attention, experts and the second
 * of two linears. A value that is used in two ways has no wish.
 */
export class Wishes {
  readonly #ranks: number;
  readonly #step: number;
  readonly #wants = new Map<string, Split>();
  readonly #makers = new Map<string, Op>();
  readonly #uses = new Map<string, { ops: Op[]; output: boolean }>();
  readonly #splittable = new Map<string, boolean>();
  readonly #leaves: ReadonlySet<string>;

  constructor(graph: Graph, { ranks, step = 1, residual = "whole" }: PlaceOptions) {
    this.#ranks = ranks;
    this.#step = step;
    this.#leaves = new Set([...graph.weights, ...graph.constants].map(({ value }) => value.id));
    for (const op of graph.ops) {
      for (const out of op.outs) this.#makers.set(out.id, op);
      for (const value of op.ins) if (value) this.#usesOf(value).ops.push(op);
    }
    for (const value of graph.outputs) this.#usesOf(value).output = true;
    this.#spread(graph);
    if (residual === "split") this.#splitStream(graph);
  }

  /** What blocks hand on, in parts of its width. */
  #splitStream(graph: Graph): void {
    for (const { id, type } of [...blockResults(graph).values()].flat()) {
      const size = type.shape.at(-1);
      const spans = typeof size === "number" ? evenSpans(size, this.#ranks) : undefined;
      if (spans) this.#wants.set(id, splitAt(-1, spans));
    }
  }

  /** What a rule is asked of an op, but for where its operands are. */
  question(op: Op): ShardQuestion {
    return {
      op,
      ranks: this.#ranks,
      step: this.#step,
      ins: op.ins.map(() => undefined),
      wants: op.outs.map(({ id }) => this.#wants.get(id)),
      splittable: (value) => this.#isSplittable(value),
      uses: (value) => this.#usesOf(value),
    };
  }

  #spread(graph: Graph): void {
    const wished = new Map<string, (Placement | null)[]>();
    const wish = (value: Value, placement: Placement | null) => {
      const wishes = wished.get(value.id);
      if (wishes) wishes.push(placement);
      else wished.set(value.id, [placement]);
    };
    for (const value of graph.outputs) wish(value, this.#vocabulary(value));
    for (const op of graph.ops.toReversed()) {
      for (const out of op.outs) {
        const agreed = agreement(wished.get(out.id) ?? []);
        if (agreed) this.#wants.set(out.id, agreed);
      }
      const shard = this.#likely(op);
      op.ins.forEach((value, i) => {
        if (value && !this.#leaves.has(value.id)) wish(value, shard?.ins[i] ?? null);
      });
    }
  }

  /** The way that gives results as they are wanted, or that an op without such wishes takes by itself. */
  #likely(op: Op): Shard | undefined {
    const question = this.question(op);
    const shards = shardsOf(question);
    if (question.wants.every((want) => want === undefined)) return shards[0];
    return shards.find(({ outs }) =>
      outs.every((out, i) => !question.wants[i] || samePlacement(out, question.wants[i])),
    );
  }

  #vocabulary(output: Value): Split | null {
    const size = output.type.shape.at(-1);
    const spans = typeof size === "number" && this.#isSplittable(output) ? evenSpans(size, this.#ranks) : undefined;
    return spans ? splitAt(-1, spans) : null;
  }

  #isSplittable(value: Value): boolean {
    let known = this.#splittable.get(value.id);
    if (known === undefined) {
      const maker = this.#makers.get(value.id);
      const passes = maker !== undefined && ENTRYWISE.has(maker.kind);
      known =
        maker !== undefined &&
        (SOURCES.has(maker.kind) ||
          (passes && maker.ins.every((x) => x === null || this.#leaves.has(x.id) || this.#isSplittable(x))));
      this.#splittable.set(value.id, known);
    }
    return known;
  }

  #usesOf(value: Value): { ops: Op[]; output: boolean } {
    let uses = this.#uses.get(value.id);
    if (!uses) this.#uses.set(value.id, (uses = { ops: [], output: false }));
    return uses;
  }
}

function agreement(wishes: readonly (Placement | null)[]): Split | undefined {
  const [first] = wishes;
  if (first?.kind !== "split") return undefined;
  return wishes.every((wish) => wish !== null && samePlacement(wish, first)) ? first : undefined;
}
