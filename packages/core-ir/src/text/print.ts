import type { Tensor } from "@llm/tensor";
import type { Attrs, Constant, Graph, Op, State, Value, Weight } from "../graph.ts";
import { typeText } from "../shape.ts";
import { toBase64 } from "./base64.ts";

/** Constants up to this long are written as numbers, longer ones as the bytes they are. */
const MOST_NUMBERS = 64;

/**
 * A graph as text: one line for each thing in it, stable from run to run, read back by `parseGraph`.
 *
 * ```
 * block_0.q: f32[tokens, 48] = linear(block_0.norm, h.0.attn.q.weight, h.0.attn.q.bias)
 * ```
 */
export function printGraph(graph: Graph): string {
  const opens = new Map(graph.blocks.map((block) => [block.from, block]));
  const ops: string[] = [];
  let end = Number.POSITIVE_INFINITY;
  for (let at = 0; at <= graph.ops.length; at++) {
    if (at === end) ops.push("}");
    const block = opens.get(at);
    if (block) {
      ops.push(`block ${block.name} {`);
      end = block.to;
      if (block.to === at) ops.push("}");
    }
    const op = graph.ops[at];
    if (op) ops.push(at < end && end !== Number.POSITIVE_INFINITY ? `  ${opLine(op)}` : opLine(op));
  }
  return [
    `graph ${JSON.stringify(graph.name)}`,
    `dialects ${graph.dialects.join(", ")}`,
    ...Object.entries(graph.dims).map(([symbol, { min, max }]) => `dim ${symbol} ${min}..${max}`),
    ...graph.inputs.map((value) => `input ${typed(value)}`),
    ...graph.weights.map(weightLine),
    ...graph.constants.map(constantLine),
    ...graph.states.map(stateLine),
    ...ops,
    ...graph.outputs.map((value) => `output ${value.id}`),
    "",
  ].join("\n");
}

/** `a: f32[n] = add(x, y)` */
export function opLine({ kind, ins, outs, attrs }: Op): string {
  const operands = ins.map((value) => value?.id ?? "_").join(", ");
  return `${outs.map(typed).join(", ")} = ${kind}(${operands})${attrsText(attrs)}`;
}

export function weightLine({ value, expr }: Weight): string {
  return `weight ${typed(value)} = ${JSON.stringify(expr)}`;
}

export function constantLine({ value, data }: Constant): string {
  return `constant ${typed(value)} = ${dataText(data)}`;
}

export function stateLine({ value, next, role, update }: State): string {
  return `state ${typed(value)} -> ${next.id} ${JSON.stringify({ role, update })}`;
}

function typed(value: Value): string {
  return `${value.id}: ${typeText(value.type)}`;
}

function attrsText(attrs: Attrs): string {
  return Object.values(attrs).every((value) => value === undefined) ? "" : ` ${JSON.stringify(attrs)}`;
}

function dataText({ data }: Tensor): string {
  if (data.length <= MOST_NUMBERS && !(data instanceof BigInt64Array)) {
    const numbers = Array.from(data as ArrayLike<number>);
    // JSON has no NaN, no infinities and no −0.
    if (numbers.every((x) => Number.isFinite(x) && !Object.is(x, -0))) return JSON.stringify(numbers);
  }
  return toBase64(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
