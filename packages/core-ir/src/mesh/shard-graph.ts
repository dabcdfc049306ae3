import { simplify, type Tensor, type WeightExpr } from "@llm/tensor";
import { Builder } from "../builder.ts";
import { decoder } from "../decoder/index.ts";
import { GraphError } from "../error.ts";
import type { Graph, Value } from "../graph.ts";
import { blockResults } from "../passes/expose-blocks.ts";
import { primitive } from "../primitive/index.ts";
import { slice } from "../primitive/layout.ts";
import { removeDead } from "../remove-dead.ts";
import { collectives } from "./collectives.ts";
import type { Conversion } from "./conversion.ts";
import type { Placed, PlacedOp } from "./place.ts";
import { type Placement, placementText, type Split, sizesOf, WHOLE } from "./placement.ts";

export interface ShardOptions {
  /**
   * Results of blocks go on as copies, so that what ops are made one later ends with its block: stages then hand on one value,
   * not a sum and the next block's norm of it.
   */
  readonly edges?: boolean;
}

/** What one rank does of a placed graph: its parts of the weights, and collectives where it needs the others. */
export function shardGraph(placed: Placed, rank: number, { edges = false }: ShardOptions = {}): Graph {
  return new RankBuilder(placed, rank, edges).build();
}

class RankBuilder {
  readonly #placed: Placed;
  readonly #rank: number;
  readonly #b: Builder;
  readonly #edges: ReadonlySet<string>;
  /** By id and placement; null where this rank has no term of a sum. */
  readonly #values = new Map<string, Value | null>();
  readonly #exprs: ReadonlyMap<string, WeightExpr>;
  readonly #constants: ReadonlyMap<string, Tensor>;

  constructor(placed: Placed, rank: number, edges: boolean) {
    const { graph } = placed;
    this.#placed = placed;
    this.#edges = new Set(edges ? [...blockResults(graph).values()].flat().map(({ id }) => id) : []);
    this.#rank = rank;
    this.#b = new Builder(graph.name, [decoder, primitive, collectives]);
    this.#exprs = new Map(graph.weights.map(({ value, expr }) => [value.id, expr]));
    this.#constants = new Map(graph.constants.map(({ value, data }) => [value.id, data]));
  }

  build(): Graph {
    const { graph, ops } = this.#placed;
    const b = this.#b;
    for (const [symbol, range] of Object.entries(graph.dims)) b.dim(symbol, range);
    for (const { id, type } of graph.inputs) this.#set({ id, type }, WHOLE, b.input(id, type.dtype, type.shape));
    const blocks = new Map(graph.blocks.map((block) => [block.from, block]));
    for (let at = 0; at < ops.length; ) {
      const block = blocks.get(at);
      const until = block?.to ?? at + 1;
      const run = () => {
        for (; at < until; at++) this.#op(ops[at]!);
      };
      if (block) b.block(block.name, run);
      else run();
    }
    const used = new Set(graph.ops.flatMap(({ ins }) => ins.map((value) => value?.id)));
    for (const value of graph.outputs) b.output(this.#output(value, used.has(value.id)));
    return removeDead(b.finish());
  }

  /** What the graph gives and goes on with itself is given as a copy: so a net's outputs are told from what parts hand on. */
  #output(value: Value, goesOn: boolean): Value {
    const whole = this.#get(value, WHOLE)!;
    if (!goesOn) return whole;
    this.#b.rename(whole, `${value.id}.kept`);
    return this.#b.as(`/${value.id}`).reshape(whole, [], 0); // of whatever shape it comes to have
  }

  #op({ op, shard, conversions, after }: PlacedOp): void {
    const b = this.#b;
    for (const conversion of conversions) this.#convert(conversion);
    const ins = op.ins.map((value, i) => value && this.#get(value, shard.ins[i]!));
    const outs = b.inside(op.outs[0]!.id, () =>
      shard.build ? shard.build(b, ins, this.#rank) : b.ops(op.kind, ins, shard.attrs?.(this.#rank) ?? op.attrs),
    );
    op.outs.forEach((old, i) => {
      const out = outs[i] ?? null;
      const placement = shard.outs[i]!;
      const edge = placement.kind === "whole" && this.#edges.has(old.id);
      const name = edge ? `${old.id}.made` : nameOf(old, placement);
      if (out && b.isFresh(out) && !b.taken(name)) b.rename(out, name);
      this.#set(old, placement, out && edge ? b.as(`/${old.id}`).reshape(out, [], 0) : out);
    });
    for (const conversion of after) this.#convert(conversion);
  }

  #convert({ value, from, to, via }: Conversion): void {
    const x = this.#get(value, from);
    if (via === "first") this.#set(value, to, this.#rank === 0 ? x : null);
    else if (x) this.#set(value, to, this.#converted(x, { value, from, to, via }));
    else throw new GraphError("unsupported", `${value.id}: rank ${this.#rank} has no term of the sum`);
  }

  #converted(x: Value, { value, from, to, via }: Conversion): Value {
    const b = this.#b;
    const made = () => b.as(`/${nameOf(value, to)}`);
    if (via === "all_reduce") return made().op(via, [x], { ranks: this.#placed.ranks });
    if (via === "all_gather") return made().op(via, [x], partsOf(from as Split, this.#rank));
    if (via === "reduce_scatter") return made().op(via, [x], partsOf(to as Split, this.#rank));
    const { axis, spans } = to as Split;
    const [start, end] = spans[this.#rank]!;
    return start === 0 && end === value.type.shape.at(axis) ? x : made().slice(x, axis, start, end);
  }

  #set(value: Value, placement: Placement, local: Value | null): void {
    this.#values.set(`${value.id} ${placementText(placement)}`, local);
  }

  #get(value: Value, placement: Placement): Value | null {
    const key = `${value.id} ${placementText(placement)}`;
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const leaf = this.#leaf(value, placement);
    this.#values.set(key, leaf);
    return leaf;
  }

  #leaf(value: Value, placement: Placement): Value | null {
    if (placement.kind === "partial" && this.#rank > 0) return null;
    const expr = this.#exprs.get(value.id);
    const cut = placement.kind === "split" ? placement : undefined;
    const [start, end] = cut?.spans[this.#rank] ?? [0, 0];
    if (expr) {
      const axis = cut && cut.axis + value.type.shape.length;
      const own = axis === undefined ? expr : simplify({ op: "slice", of: expr, axis, start, end });
      return this.#b.as(value.id).weight(own, value.type.dtype);
    }
    const data = this.#constants.get(value.id);
    if (!data) throw new GraphError("spec", `${value.id} is used before it is made`);
    const own = cut ? slice.eval!([data], { axis: cut.axis, start, end })[0]! : data;
    return this.#b.inside("", () => this.#b.as(value.id).constant(own));
  }
}

/** A part's name, a term's, or the value's own. */
function nameOf({ id }: Value, { kind }: Placement): string {
  return kind === "whole" ? id : kind === "split" ? `${id}.part` : `${id}.term`;
}

function partsOf(split: Split, rank: number) {
  return { axis: split.axis, sizes: sizesOf(split), rank };
}
