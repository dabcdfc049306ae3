import { sizeOf } from "@llm/tensor";
import type { Type } from "../graph.ts";
import { shardExperts } from "../mesh/rules/experts.ts";
import { op } from "../op-def.ts";
import { boolean, choice, integer, number, optional, record, schema } from "../schema.ts";
import {
  check,
  leading,
  sameShape,
  trailing,
  typeText,
  wantDType,
  wantFloat,
  wantSameDType,
  wantShape,
} from "../shape.ts";
import { f32, floats, i32, ints } from "../values.ts";
import { lowerExperts, lowerRoute } from "./experts-lower.ts";
import { ACTIVATION_NAMES, ACTIVATIONS, sigmoid } from "./functions.ts";

export const route = op({
  doc: "Which experts a token goes to, and with what weight.",
  operands: ["scores", "bias?"],
  results: ["weights", "ids"],
  attrs: schema({
    score: choice("softmax", "sigmoid"),
    /** Whether scores are made of all experts' logits before the best are chosen, or of the chosen ones' after. */
    order: choice("score-topk", "topk-score"),
    k: integer(1),
    /** Weights of a token add up to 1. */
    renorm: optional(boolean),
    /** Only experts of the best groups are eligible; a group is as good as its best, or the sum of its two best. */
    groups: optional(record({ count: integer(1), keep: integer(1), by: choice("max", "top2sum") })),
    scale: optional(number),
  }),
  infer([scores, bias], { k, groups, order }) {
    wantFloat(scores!, "scores");
    const [experts] = trailing(scores!, 1, "scores");
    check(typeof experts === "number" && k <= experts, () => `k is ${k} of ${experts} experts`);
    if (bias) wantShape(bias, [experts], "bias");
    if (groups) {
      check(experts % groups.count === 0, () => `${experts} experts don't divide into ${groups.count} groups`);
      check(groups.keep <= groups.count, () => `${groups.keep} of ${groups.count} groups can't be kept`);
    }
    check(order === "score-topk" || (!groups && !bias), () => "groups and bias need order score-topk");
    const shape = [...leading(scores!, 1), k];
    return [
      { dtype: scores!.dtype, shape },
      { dtype: "i32", shape },
    ];
  },
  eval([logits, bias], { score, order, k, renorm = false, groups, scale = 1 }) {
    const experts = logits!.shape.at(-1)!;
    const shape = [...logits!.shape.slice(0, -1), k];
    const weights = f32(shape);
    const ids = i32(shape);
    for (let t = 0; t < sizeOf(shape) / k; t++) {
      const row = [...floats(logits!).subarray(t * experts, (t + 1) * experts)];
      const scored = order === "score-topk" ? scoreOf(score, row) : row;
      const choices = bias ? scored.map((s, e) => s + floats(bias)[e]!) : scored;
      const chosen = best(groups ? maskGroups(choices, groups) : choices, k);
      let parts = chosen.map((e) => scored[e]!);
      if (order === "topk-score") parts = scoreOf(score, parts);
      const total = renorm ? parts.reduce((a, b) => a + b, 0) : 1;
      chosen.forEach((e, i) => {
        floats(weights)[t * k + i] = (parts[i]! / total) * scale;
        ints(ids)[t * k + i] = e;
      });
    }
    return [weights, ids];
  },
  lower: (op, b) => lowerRoute(op, b),
});

export const experts = op({
  doc: "The chosen experts' MLPs, added up by weight: down · (fn(gate · x) ∘ up · x), or down · fn(up · x) without gate.",
  operands: ["x", "weights", "ids", "gate?", "up", "down"],
  attrs: schema({ fn: choice(...ACTIVATION_NAMES) }),
  infer(ins) {
    const [x, weights, ids, gate, up, down] = ins as readonly [Type, Type, Type, Type | null, Type, Type];
    wantFloat(x, "x");
    wantSameDType([x, weights, gate, up, down], ["x", "weights", "gate", "up", "down"]);
    wantDType(ids, "ids", "i32");
    check(up.shape.length === 3, () => `up is ${typeText(up)} and must be [experts, inner, width]`);
    const [count, inner, width] = up.shape;
    check(trailing(x, 1, "x")[0] === width, () => `x is ${typeText(x)}, up is ${typeText(up)}: widths differ`);
    if (gate) wantShape(gate, up.shape, "gate");
    wantShape(down, [count!, width!, inner!], "down");
    check(
      sameShape(weights.shape, ids.shape) && sameShape(leading(ids, 1), leading(x, 1)),
      () => `weights are ${typeText(weights)}, ids ${typeText(ids)}: both must be [${leading(x, 1).join(", ")}, k]`,
    );
    return [x];
  },
  eval([x, weights, ids, gate, up, down], { fn }) {
    const [, inner, width] = up!.shape as [number, number, number];
    const k = ids!.shape.at(-1)!;
    const out = f32(x!.shape);
    const hidden = new Float32Array(inner);
    ints(ids!).forEach((expert, n) => {
      const token = Math.floor(n / k);
      const xs = floats(x!).subarray(token * width, (token + 1) * width);
      for (let i = 0; i < inner; i++) {
        const row = (expert * inner + i) * width;
        const upward = dot(floats(up!), row, xs);
        hidden[i] = gate ? ACTIVATIONS[fn](dot(floats(gate), row, xs)) * upward : ACTIVATIONS[fn](upward);
      }
      for (let o = 0; o < width; o++)
        floats(out)[token * width + o]! +=
          floats(weights!)[n]! * dot(floats(down!), (expert * width + o) * inner, hidden);
    });
    return [out];
  },
  lower: (op, b) => lowerExperts(op, b),
  shard: shardExperts,
});

function dot(w: Float32Array, from: number, x: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += w[from + i]! * x[i]!;
  return sum;
}

function scoreOf(kind: "softmax" | "sigmoid", row: readonly number[]): number[] {
  if (kind === "sigmoid") return row.map(sigmoid);
  const most = Math.max(...row);
  const parts = row.map((x) => Math.exp(x - most));
  const total = parts.reduce((a, b) => a + b, 0);
  return parts.map((p) => p / total);
}

/** Indices of the `k` largest, best first; of equals the first. */
function best(row: readonly number[], k: number): number[] {
  return row
    .map((_, i) => i)
    .sort((a, b) => row[b]! - row[a]! || a - b)
    .slice(0, k);
}

function maskGroups(row: readonly number[], groups: { count: number; keep: number; by: "max" | "top2sum" }): number[] {
  const size = row.length / groups.count;
  const worth = Array.from({ length: groups.count }, (_, g) => {
    const sorted = row.slice(g * size, (g + 1) * size).sort((a, b) => b - a);
    return groups.by === "max" ? sorted[0]! : sorted[0]! + (sorted[1] ?? 0);
  });
  const kept = new Set(best(worth, groups.keep));
  return row.map((x, i) => (kept.has(Math.floor(i / size)) ? x : Number.NEGATIVE_INFINITY));
}
