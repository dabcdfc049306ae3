import { shapeOf } from "@llm/tensor";
import { legalOps } from "./dialects.ts";
import { dimSymbols } from "./dim.ts";
import { GraphError } from "./error.ts";
import type { Graph, Op, Program, State, Type, Value } from "./graph.ts";
import { inferOp } from "./infer.ts";
import type { Dialect } from "./op-def.ts";
import { sameShape, sameType, typeText } from "./shape.ts";

/** What an id may be made of: the text form and file names rely on it. */
const ID = /^\w[\w.\-/]*$/;

/**
 * Throws a GraphError naming the op or value that breaks a rule: everything made once, before it is used, with the type
 * that its op infers; nothing unused; only ops of the graph's dialects; states, symbols and blocks that make sense. Runs
 * after every pass, so it is linear in the size of the graph.
 */
export function checkSpec(graph: Graph, dialects: readonly Dialect[] = []): void {
  const ops = legalOps(graph, dialects);
  const made = new Map<string, Value>();
  const used = new Set<string>();
  const symbols = new Set<string>();

  const define = (value: Value, by: string) => {
    if (!ID.test(value.id)) fail(`${by} has an id that isn't one: ${JSON.stringify(value.id)}`);
    if (made.has(value.id)) fail(`${value.id} is made twice, the second time by ${by}`);
    made.set(value.id, value);
    for (const dim of value.type.shape) for (const symbol of dimSymbols(dim)) symbols.add(symbol);
  };
  const use = (value: Value, by: string) => {
    const definition = made.get(value.id);
    if (!definition) fail(`${by} uses ${value.id}, which nothing before it makes`);
    else if (definition !== value && !sameType(definition.type, value.type))
      fail(`${by} takes ${value.id} for ${typeText(value.type)}; it is ${typeText(definition.type)}`);
    used.add(value.id);
  };

  for (const value of graph.inputs) define(value, "an input");
  for (const { value, expr } of graph.weights) {
    define(value, "a weight");
    if (!sameShape(value.type.shape, shapeOf(expr)))
      fail(`weight ${value.id} is ${typeText(value.type)}, its expression makes [${shapeOf(expr).join(", ")}]`);
  }
  for (const { value, data } of graph.constants) {
    define(value, "a constant");
    if (!sameType(value.type, data as Type)) fail(`constant ${value.id} is ${typeText(value.type)}, its data is not`);
  }
  for (const { value } of graph.states) define(value, "a state");

  for (const op of graph.ops) {
    const label = opLabel(op);
    const def = ops.get(op.kind) ?? fail(`${label}: ${op.kind} is no op of ${graph.dialects.join(", ")}`, "unknown-op");
    for (const value of op.ins) if (value) use(value, label);
    const types = inferOp(def, label, op.ins, op.attrs);
    if (types.length !== op.outs.length) fail(`${label} has ${op.outs.length} results, not ${types.length}`);
    op.outs.forEach((out, i) => {
      if (!sameType(out.type, types[i]!))
        fail(`${label}: ${out.id} is ${typeText(types[i]!)}, not ${typeText(out.type)}`);
      define(out, label);
    });
  }

  const outputs = new Set<string>();
  for (const value of graph.outputs) {
    if (outputs.has(value.id)) fail(`${value.id} is an output twice`);
    outputs.add(value.id);
    use(value, "an output");
  }
  for (const state of graph.states) checkState(state, use);
  checkAllUsed(graph, used);
  checkSymbols(graph, symbols);
  checkBlocks(graph);
}

/** The spec of every net, and that moves join values of one dtype and rank. */
export function checkProgram(program: Program, dialects: readonly Dialect[] = []): void {
  const nets = new Map<string, Graph>();
  for (const net of program.nets) {
    if (nets.has(net.id)) fail(`two nets are called ${net.id}`);
    nets.set(net.id, net.graph);
    checkSpec(net.graph, dialects);
    for (const sizes of net.shapes ?? [])
      for (const symbol of Object.keys(net.graph.dims))
        if (sizes[symbol] === undefined) fail(`a shape of net ${net.id} gives no size for ${symbol}`);
  }
  for (const { from, to } of program.moves) {
    const label = `the move ${from.net}.${from.output} → ${to.net}.${to.input}`;
    const source = nets.get(from.net)?.outputs.find((v) => v.id === from.output);
    const sink = nets.get(to.net)?.inputs.find((v) => v.id === to.input);
    if (!source || !sink) fail(`${label} names ${source ? "an input" : "an output"} that isn't there`);
    else if (source.type.dtype !== sink.type.dtype || source.type.shape.length !== sink.type.shape.length)
      fail(`${label} joins ${typeText(source.type)} to ${typeText(sink.type)}`);
  }
}

/** How errors call an op: its kind and its first result. */
export function opLabel(op: Op): string {
  return `${op.kind} ${op.outs[0]?.id ?? "(without results)"}`;
}

function checkState(state: State, use: (value: Value, by: string) => void): void {
  const { value, next, update } = state;
  use(next, `state ${value.id}`);
  const held = value.type;
  if (update.kind === "replace") {
    if (!sameType(held, next.type))
      fail(`state ${value.id} is ${typeText(held)} and would become ${typeText(next.type)}`);
    return;
  }
  const { axis } = update;
  if (axis < 0 || axis >= held.shape.length) fail(`state ${value.id} has no axis ${axis} to append to`);
  if (held.dtype !== next.type.dtype || !sameShape(held.shape.with(axis, 0), padTo(next.type, axis)))
    fail(`state ${value.id} is ${typeText(held)}: ${typeText(next.type)} can't be appended along axis ${axis}`);
}

function padTo(type: Type, axis: number): readonly (number | string)[] {
  return axis < type.shape.length ? type.shape.with(axis, 0) : type.shape;
}

function checkAllUsed(graph: Graph, used: ReadonlySet<string>): void {
  for (const value of graph.inputs) if (!used.has(value.id)) fail(`input ${value.id} is not used`);
  for (const { value } of graph.weights) if (!used.has(value.id)) fail(`weight ${value.id} is not used`);
  for (const { value } of graph.constants) if (!used.has(value.id)) fail(`constant ${value.id} is not used`);
  for (const { value } of graph.states) if (!used.has(value.id)) fail(`state ${value.id} is not used`);
  for (const op of graph.ops)
    if (!op.outs.some((out) => used.has(out.id))) fail(`${opLabel(op)}: nothing uses what it makes`);
}

function checkSymbols(graph: Graph, symbols: ReadonlySet<string>): void {
  for (const symbol of symbols) if (!graph.dims[symbol]) fail(`the symbol ${symbol} has no range in dims`);
  for (const [symbol, { min, max }] of Object.entries(graph.dims)) {
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min < 0 || min > max)
      fail(`the range of ${symbol}, ${min} to ${max}, makes no sense`);
  }
}

function checkBlocks(graph: Graph): void {
  const names = new Set<string>();
  let end = 0;
  for (const { name, from, to } of graph.blocks) {
    if (names.has(name)) fail(`two blocks are called ${name}`);
    names.add(name);
    if (from < end || to < from || to > graph.ops.length)
      fail(
        `block ${name} is ops ${from} to ${to}; it must begin at ${end} or later, and there are ${graph.ops.length} ops`,
      );
    end = to;
  }
}

function fail(message: string, code: "spec" | "unknown-op" = "spec"): never {
  throw new GraphError(code, message);
}
