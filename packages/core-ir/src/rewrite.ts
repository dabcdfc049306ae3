import { Builder } from "./builder.ts";
import { coreDialects } from "./dialects.ts";
import type { Graph, Op, State, Value } from "./graph.ts";
import type { Dialect } from "./op-def.ts";
import { removeDead } from "./remove-dead.ts";

export interface Rewrite {
  /** Tables of dialects other than core-ir's. */
  readonly dialects?: readonly Dialect[];
  /** Whose ops are legal afterwards; unchanged when absent. */
  readonly legal?: readonly string[];
  /** What stands for an input: itself when undefined; null drops it, and ops have it left out. Called before any op. */
  input?(value: Value, b: Builder): Value | null | undefined;
  /** What stands for a state; itself when absent. */
  state?(state: State, b: Builder): Value | undefined;
  /** Runs before the ops, for values that many of them share. */
  start?(b: Builder, map: (value: Value) => Value): void;
  /**
   * What stands for an op's results, made from operands that are already rewritten; undefined keeps the op. Results that are
   * made here take the ids of those they stand for.
   */
  op?(op: Op, b: Builder): readonly Value[] | undefined;
  /** Runs after the ops. `map` says what stands for a value of the old graph. */
  end?(b: Builder, map: (value: Value) => Value): void;
}

/**
 * A graph with some ops replaced. What isn't touched is shared with the old graph; types are inferred anew where operands
 * changed, blocks and ids are kept, and what nothing uses any more is dropped.
 */
export function rewriteGraph(graph: Graph, rewrite: Rewrite): Graph {
  const b = new Builder(graph.name, [...coreDialects, ...(rewrite.dialects ?? [])]);
  const stands: Stands = new Map();
  const map = (value: Value): Value => stands.get(value.id) ?? value;
  b.adopt(graph);
  for (const value of graph.inputs) {
    const other = rewrite.input?.(value, b);
    if (other === undefined) b.keepInput(value);
    else stands.set(value.id, other);
  }
  for (const state of graph.states) {
    const other = rewrite.state?.(state, b);
    if (other !== undefined) stands.set(state.value.id, other);
    else b.keepState(state);
  }
  rewrite.start?.(b, map);

  const blocks = new Map(graph.blocks.map((block) => [block.from, block]));
  for (let at = 0; at < graph.ops.length; ) {
    const block = blocks.get(at);
    const until = block?.to ?? at + 1;
    const run = () => {
      for (; at < until; at++) rewriteOp(graph.ops[at]!, rewrite, b, stands);
    };
    if (block) b.block(block.name, run);
    else run();
  }
  for (const { value, next } of graph.states) if (!stands.has(value.id)) b.setNext(value, map(next));
  for (const value of graph.outputs) b.output(underItsName(b, map(value), value.id));
  rewrite.end?.(b, map);
  return removeDead({ ...b.finish(), dialects: rewrite.legal ?? graph.dialects });
}

/** By id, because a graph that was sent as JSON has many objects for one value. */
type Stands = Map<string, Value | null>;

/** An output keeps its name: where something else, with a name of its own, stands for it, a copy takes the name. */
function underItsName(b: Builder, value: Value, name: string): Value {
  return value.id === name || b.taken(name) ? value : b.as(`/${name}`).reshape(value, value.type.shape);
}

function rewriteOp(op: Op, rewrite: Rewrite, b: Builder, stands: Stands): void {
  const ins = op.ins.map((value) => (value && stands.has(value.id) ? stands.get(value.id)! : value));
  const changed = ins.some((value, i) => value !== op.ins[i]);
  const now = changed ? { ...op, ins } : op;
  const outs = rewrite.op && b.inside(op.outs[0]!.id, () => rewrite.op!(now, b));
  if (!outs) {
    b.keep(op, ins).forEach((out, i) => {
      if (out !== op.outs[i]) stands.set(op.outs[i]!.id, out);
    });
    return;
  }
  op.outs.forEach((old, i) => {
    const out = outs[i];
    if (!out) return;
    b.release(old.id);
    if (b.isFresh(out) && !b.taken(old.id)) b.rename(out, old.id);
    stands.set(old.id, out);
  });
}
