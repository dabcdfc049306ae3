import { sizeOf } from "@llm/tensor";
import type { Sizes } from "../dim.ts";
import { GraphError } from "../error.ts";
import type { Graph, Op, Value } from "../graph.ts";
import { type Conversion, conversionsTo, elementsIn, movedElements } from "./conversion.ts";
import { localShape, type Placement, WHOLE } from "./placement.ts";
import type { Shard } from "./shard-rule.ts";
import { shardsOf } from "./shards-of.ts";
import { Wishes } from "./wishes.ts";

export interface PlaceOptions {
  readonly ranks: number;
  /** Inner widths are cut at multiples of this, for number formats that have blocks; 1 unless said. */
  readonly step?: number;
  /**
   * Whether every rank keeps the whole residual stream (unless said) or a part of its width: sums are scattered and put
   * together again where a linear needs them, as many bytes in all, and norms and sums are done once instead of everywhere.
   */
  readonly residual?: "whole" | "split";
}

/** What is done for an op: first its operands are brought to where they must be, then every rank does its part. */
export interface PlacedOp {
  readonly op: Op;
  readonly shard: Shard;
  readonly conversions: readonly Conversion[];
  /** Of results that are outputs: those are whole. */
  readonly after: readonly Conversion[];
}

/** A graph with a placement for each value: nothing is rewritten yet, and what it costs is known. */
export interface Placed {
  readonly graph: Graph;
  readonly ranks: number;
  readonly ops: readonly PlacedOp[];
  /** By id of values that ops make: where they are when they are made. */
  readonly placements: ReadonlyMap<string, Placement>;
}

/** Sizes by which ways are compared: a prompt's tokens, few of which go through the head. */
const TYPICAL = 16;

/**
 * Decides where every value is on `ranks` devices: wishes go backwards from where a split is natural (heads, inner widths,
 * experts, vocabulary), then each op takes the way that moves least, and of those the one that keeps the least weights.
 */
export function place(graph: Graph, options: PlaceOptions): Placed {
  const { ranks } = options;
  const [held] = graph.states;
  if (held) throw new GraphError("unsupported", `${graph.name} has a cache (${held.value.id}): placing comes before`);
  if (!Number.isInteger(ranks) || ranks < 1) throw new GraphError("attribute", `ranks is ${ranks}, not 1 or more`);
  return new Placing(graph, options).run();
}

class Placing {
  readonly #graph: Graph;
  readonly #ranks: number;
  readonly #wishes: Wishes;
  readonly #leaves: ReadonlySet<string>;
  readonly #outputs: ReadonlySet<string>;
  readonly #sizes: Sizes;
  /** Forms of each value that there are by now; what it was made as first. */
  readonly #have = new Map<string, Placement[]>();

  constructor(graph: Graph, options: PlaceOptions) {
    this.#graph = graph;
    this.#ranks = options.ranks;
    this.#leaves = new Set([...graph.weights, ...graph.constants].map(({ value }) => value.id));
    this.#outputs = new Set(graph.outputs.map(({ id }) => id));
    this.#sizes = Object.fromEntries(Object.keys(graph.dims).map((dim) => [dim, dim === "outputs" ? 1 : TYPICAL]));
    this.#wishes = new Wishes(graph, options);
  }

  run(): Placed {
    const placements = new Map<string, Placement>();
    for (const { id } of this.#graph.inputs) this.#have.set(id, [WHOLE]);
    const ops = this.#graph.ops.map((op): PlacedOp => {
      const { shard, conversions } = this.#best(op);
      for (const { value, to } of conversions) this.#have.get(value.id)!.push(to);
      const after: Conversion[] = [];
      op.outs.forEach((out, i) => {
        placements.set(out.id, shard.outs[i]!);
        this.#have.set(out.id, [shard.outs[i]!]);
        if (!this.#outputs.has(out.id)) return;
        const path = conversionsTo(out, [shard.outs[i]!], WHOLE);
        if (!path) throw new GraphError("unsupported", `the output ${out.id} can't be put together`);
        after.push(...path);
        if (path.length > 0) this.#have.get(out.id)!.push(WHOLE);
      });
      return { op, shard, conversions, after };
    });
    return { graph: this.#graph, ranks: this.#ranks, ops, placements };
  }

  #best(op: Op): { shard: Shard; conversions: readonly Conversion[] } {
    const ins = op.ins.map((value) => (value ? this.#now(value) : undefined));
    const question = { ...this.#wishes.question(op), ins };
    let best: { shard: Shard; conversions: readonly Conversion[]; score: readonly number[] } | undefined;
    for (const shard of [...shardsOf(question), wholeShard(op)]) {
      const conversions = this.#conversions(op, shard);
      if (!conversions) continue;
      const score = [this.#moved(conversions, shard), this.#leafElements(op, shard), shard.outs.every(isWhole) ? 1 : 0];
      if (!best || firstDifference(score, best.score) < 0) best = { shard, conversions, score };
    }
    if (!best) throw new GraphError("unsupported", `${op.kind} ${op.outs[0]!.id}: no rank can have its operands`);
    return best;
  }

  /** Where a value is by now: a sum that was made is whole from then on. */
  #now({ id }: Value): Placement | undefined {
    const [made, ...others] = this.#have.get(id) ?? [];
    return made?.kind === "partial" && others.some(isWhole) ? WHOLE : made;
  }

  #conversions(op: Op, shard: Shard): readonly Conversion[] | undefined {
    const all: Conversion[] = [];
    for (const [i, value] of op.ins.entries()) {
      const to = shard.ins[i];
      if (!value || !to || this.#leaves.has(value.id)) continue;
      const made = all.filter((c) => c.value.id === value.id).map((c) => c.to);
      const path = conversionsTo(value, [...this.#have.get(value.id)!, ...made], to);
      if (!path) return undefined;
      all.push(...path);
    }
    return all;
  }

  #moved(conversions: readonly Conversion[], { sums = [] }: Shard): number {
    const whole = conversions.reduce(
      (sum, { via, value }) => sum + movedElements(via, elementsIn(value.type, this.#sizes), this.#ranks),
      0,
    );
    const inner = sums.reduce((sum, type) => sum + elementsIn(type, this.#sizes), 0);
    return whole + movedElements("all_reduce", inner, this.#ranks);
  }

  /** Elements of weights that the ranks keep for the op, on average. */
  #leafElements(op: Op, shard: Shard): number {
    return op.ins.reduce((sum, value, i) => {
      const placement = shard.ins[i];
      if (!value || !placement || !this.#leaves.has(value.id)) return sum;
      if (placement.kind === "partial") return sum + sizeOf(value.type.shape as number[]) / this.#ranks;
      const sizes = Array.from({ length: this.#ranks }, (_, rank) =>
        sizeOf(localShape(value.type, placement, rank) as number[]),
      );
      return sum + sizes.reduce((total, size) => total + size) / this.#ranks;
    }, 0);
  }
}

function wholeShard(op: Op): Shard {
  return { ins: op.ins.map((value) => value && WHOLE), outs: op.outs.map(() => WHOLE) };
}

const isWhole = ({ kind }: Placement): boolean => kind === "whole";

function firstDifference(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((x, i) => Math.abs(x - b[i]!) > 1e-9 * Math.abs(x));
  return at < 0 ? 0 : a[at]! - b[at]!;
}
