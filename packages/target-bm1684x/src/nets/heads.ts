import { Builder, type Graph, type Net } from "@llm/core-ir";

/** How many of the best tokens can be drawn: more than the 50 that people ask for, so that equals of the last are seen, too. */
const CANDIDATES = 64;

/** What a token is chosen by, on the device: logits stay there. */
export function headNets(vocab: number): readonly Net[] {
  return [
    { id: "greedy_head", graph: greedyHead(vocab) },
    { id: "sample_head", graph: sampleHead(vocab) },
  ];
}

/** Logits [1, vocab] → token [1, 1]: the best one. */
function greedyHead(vocab: number): Graph {
  const b = new Builder("greedy_head");
  b.output(b.topk(b.input("logits", "f32", [1, vocab]), 1).ids, "token");
  return b.finish();
}

/**
 * Logits [1, vocab] and a temperature [1, 1] → the best candidates, the likeliest first, and their shares of the probability:
 * what is left to whoever has the random number is a walk along them.
 */
function sampleHead(vocab: number): Graph {
  const b = new Builder("sample_head");
  const logits = b.input("logits", "f32", [1, vocab]);
  const best = b.topk(logits, Math.min(CANDIDATES, vocab));
  const temperature = b.input("temperature", "f32", [1, 1]);
  b.output(b.softmax(b.binary("div", best.values, temperature)), "probabilities");
  b.output(best.ids, "candidates");
  return b.finish();
}
