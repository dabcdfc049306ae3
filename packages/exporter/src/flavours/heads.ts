import { Builder, type Graph, type Value } from "@llm/core-ir";

/** Most rows of logits in one call. */
const MANY = 2 ** 20;

/** Logits [rows, vocab] → `token` i32 [rows]: the best one. */
export function greedyHead(vocab: number): Graph {
  const b = new Builder("greedy_head");
  const logits = logitsInput(b, vocab);
  b.output(b.as("token").reshape(b.topk(logits, 1).ids, ["rows"]));
  return b.finish();
}

export interface SampleHeadOptions {
  readonly vocab: number;
  /** How many of the best tokens there is anything to choose from. */
  readonly candidates: number;
}

/**
 * Logits [rows, vocab], `temperature` [rows], `top_p` [rows] and `random` [rows] in [0, 1) → `token` i32 [rows]. Of the best
 * candidates, those that come before `top_p` of the probability is reached stay, the first always; randomness comes from
 * outside.
 */
export function sampleHead({ vocab, candidates }: SampleHeadOptions): Graph {
  const b = new Builder("sample_head");
  const logits = logitsInput(b, vocab);
  const [temperature, topP, random] = ["temperature", "top_p", "random"].map((name) =>
    b.reshape(b.input(name, "f32", ["rows"]), ["rows", 1]),
  );
  const best = b.topk(logits, candidates); // (rows, candidates), the best first
  const probabilities = b.softmax(b.binary("div", best.values, temperature));
  const before = b.cumsum(probabilities, -1, { exclusive: true });
  const first = b.compare("eq", b.reshape(b.iota(candidates), [1, candidates]), b.constant(0, "i32"));
  const stays = b.where(b.compare("lt", before, topP), yes(b), first);
  const kept = b.where(stays, probabilities, b.scalar(0, probabilities));
  // The first candidate at which the running sum passes the random share of the whole.
  const share = b.mul(random, b.reduce("sum", kept, [-1]));
  const passed = b.cast(b.compare("le", b.cumsum(kept, -1), share), "i32");
  const count = b.reduce("sum", b.mul(passed, b.cast(stays, "i32")), [-1]);
  const last = b.sub(b.reduce("sum", b.cast(stays, "i32"), [-1]), b.constant(1, "i32"));
  const chosen = b.binary("min", count, last); // rounding may leave the sum a little short
  b.output(b.as("token").reshape(b.gather(best.ids, chosen, { axis: -1, along: true }), ["rows"]));
  return b.finish();
}

function logitsInput(b: Builder, vocab: number): Value {
  b.dim("rows", { min: 1, max: MANY });
  return b.input("logits", "f32", ["rows", vocab]);
}

function yes(b: Builder): Value {
  return b.constant(1, "bool");
}
