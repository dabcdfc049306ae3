import { corePasses, type Graph, type Net, type PassStep, programOf, runPipeline } from "@llm/core-ir";
import { greedyHead, sampleHead } from "@llm/exporter";
import { ToolchainError } from "./error.ts";

export interface BlockNetOptions {
  /** Also the blocks that go on from keys and values of earlier tokens. */
  readonly cache: boolean;
}

/** How many of the best tokens `sample_head` chooses among. */
const CANDIDATES = 64;

const BLOCK = /^block_(\d+)$/;

/**
 * A decoder as one net a block, for runtimes that load them one by one: `embedding`, `block_0` …, which take a text's first
 * tokens and hand on their keys and values, `block_cache_0` …, which go on from such, `lm_head`, and two heads that choose the
 * token: `greedy_head` and `sample_head`.
 */
export function blockNets(graph: Graph, { cache }: BlockNetOptions): readonly Net[] {
  const logits = graph.outputs.find(({ id }) => id === "logits");
  const vocab = logits?.type.shape.at(-1);
  if (typeof vocab !== "number") throw new ToolchainError("model-mismatch", `${graph.name} makes no logits`);
  const first = split(graph, cache ? { form: "history", layout: "heads", past: false } : { form: "none" });
  const later = cache ? split(graph, { form: "history", layout: "heads" }) : [];
  const blocks = later.flatMap((net) => {
    const number = BLOCK.exec(net.id)?.[1];
    return number === undefined ? [] : [{ ...net, id: `block_cache_${number}` }];
  });
  const heads = [greedyHead(vocab), sampleHead({ vocab, candidates: Math.min(CANDIDATES, vocab) })];
  return [...first, ...blocks, ...heads.map((head) => ({ id: head.name, graph: head }))];
}

function split(graph: Graph, form: PassStep["params"] & object): readonly Net[] {
  const steps = [{ pass: "pad" }, { pass: "cache-form", params: form }, { pass: "split-blocks" }];
  return runPipeline(programOf(graph), steps, { passes: corePasses }).nets;
}
