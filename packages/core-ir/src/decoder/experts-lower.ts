import type { Builder } from "../builder.ts";
import type { Dim } from "../dim.ts";
import type { Op, Value } from "../graph.ts";
import type { RouteRules } from "../rules.ts";
import { lowerActivation } from "./activation.ts";
import type { ActivationName } from "./functions.ts";

/** Scores, the best groups, the best experts, their weights. */
export function lowerRoute(op: Op<RouteRules>, b: Builder): readonly Value[] {
  const [logits, bias = null] = op.ins as readonly Value[];
  const { score, order, k, renorm = false, groups, scale = 1 } = op.attrs;
  const scoreOf = (x: Value) => (score === "sigmoid" ? b.unary("sigmoid", x) : b.softmax(x));
  if (order === "topk-score") {
    const { values, ids } = b.topk(logits!, k);
    return [finish(b, scoreOf(values), renorm, scale), ids];
  }
  const scores = scoreOf(logits!);
  const biased = bias ? b.add(scores, bias) : scores;
  const { values, ids } = b.topk(groups ? bestGroups(b, biased, groups) : biased, k);
  // The bias helps to choose and has no part in the weights.
  const chosen = bias ? b.gather(scores, ids, { axis: -1, along: true }) : values;
  return [finish(b, chosen, renorm, scale), ids];
}

function finish(b: Builder, weights: Value, renorm: boolean, scale: number): Value {
  const shares = renorm ? b.binary("div", weights, b.reduce("sum", weights, [-1])) : weights;
  return b.scale(shares, scale);
}

/** −∞ for experts outside the best groups. */
function bestGroups(b: Builder, scores: Value, groups: NonNullable<RouteRules["groups"]>): Value {
  const experts = Number(scores.type.shape.at(-1));
  const size = experts / groups.count;
  const grouped = b.reshape(scores, [groups.count, size], 1);
  const top = groups.by === "max" || size === 1 ? b.reduce("max", grouped, [-1]) : sumOfTwo(b, grouped);
  const worth = b.reshape(top, [groups.count], 2);
  const kept = b.reshape(b.topk(worth, groups.keep).ids, [1, groups.keep], 1);
  const numbers = b.reshape(b.iota(groups.count), [groups.count, 1]);
  const matches = b.cast(b.compare("eq", numbers, kept), "f32"); // (…, count, keep)
  const isKept = b.compare("gt", b.reduce("max", matches, [-1]), b.constant(0)); // (…, count, 1)
  const masked = b.where(isKept, grouped, b.scalar(Number.NEGATIVE_INFINITY, scores));
  return b.reshape(masked, [experts], 2);
}

function sumOfTwo(b: Builder, x: Value): Value {
  return b.reduce("sum", b.topk(x, 2).values, [-1]);
}

/** The chosen experts' weights gathered for every token, then batched products. */
export function lowerExperts(op: Op<{ readonly fn: ActivationName }>, b: Builder): readonly Value[] {
  const [x, weights, ids, gate, up, down] = op.ins as readonly [Value, Value, Value, Value | null, Value, Value];
  const width = Number(up.type.shape.at(-1));
  const k = ids.type.shape.at(-1) as Dim;
  const column = b.reshape(x, [1, width, 1], 1); // (…, 1, width, 1)
  const product = (w: Value, v: Value) => b.matmul(b.gather(w, ids), v); // (…, k, rows, 1)
  const upward = product(up, column);
  const hidden = gate
    ? b.mul(lowerActivation(b, op.attrs.fn, product(gate, column)), upward)
    : lowerActivation(b, op.attrs.fn, upward);
  const out = b.reshape(product(down, hidden), [k, width], 3); // (…, k, width)
  const weighted = b.mul(out, b.reshape(weights, [k, 1], 1));
  return [b.reshape(b.reduce("sum", weighted, [-2]), [width], 2)];
}
