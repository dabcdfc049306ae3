import { type Graph, StreamedReference } from "@llm/core-ir";
import type { Target } from "@llm/target";
import { type Distance, distance, type LogitsDistance, logitsDistance } from "./compare.ts";
import type { Dump } from "./dump.ts";
import { ToolchainError } from "./error.ts";
import { excerptVocabulary } from "./excerpt-vocabulary.ts";
import { layersOf } from "./layers.ts";
import { decoderBlocks } from "./model-card.ts";
import type { Model } from "./open-model.ts";
import { type ExposedOptions, runExposed } from "./run-exposed.ts";
import { chosenOptions } from "./target-options.ts";
import { thinGraph } from "./thin-graph.ts";
import { allowedError, holds, type Thresholds, thresholdsFor } from "./thresholds.ts";

export interface VerifyOptions extends ExposedOptions {
  /** `A-B`, counted from 0: only these blocks, between the embedding and the head. */
  readonly layers?: string;
  /** These blocks instead: what `infer` takes for its short check. */
  readonly blocks?: readonly number[];
  /** Takes only those rows of embedding and head that the tokens need and a few more, where the model lets it. */
  readonly excerpt?: boolean;
  /** Tokens to run; some of the vocabulary unless said. */
  readonly ids?: Int32Array;
  /** How many of those; 24 unless said. */
  readonly tokens?: number;
  readonly thresholds?: Thresholds;
  /** What another implementation computed, to compare with instead of the reference interpreter. */
  readonly against?: Dump;
}

/** One block's result; "embedding" and "block_0" and so on. */
export interface BlockReport extends Distance {
  readonly name: string;
  /** What `maxAbs` may be at most. */
  readonly allowed: number;
  readonly ok: boolean;
}

export interface VerifyReport {
  readonly runner: string; // what ran the exported graph
  readonly tokens: number;
  readonly blocks: readonly BlockReport[];
  readonly logits: LogitsDistance & { readonly allowed: number; readonly ok: boolean };
  readonly ok: boolean;
  readonly seconds: number;
}

/** How many tokens are run where nobody says which. */
const TOKENS = 24;

/**
 * Exports the model for a target with every block's result as an output, runs it there and on the reference interpreter, and
 * compares the stream after each: an error shows where it begins. Blocks that aren't asked for are left out of both, with their weights, so that a range of a large model is cheap.
 *
 * @example
 * const { ok, blocks } = await verify(model, cpuTarget, { layers: "0-3" });
 */
export async function verify<O>(model: Model, target: Target<O>, options: VerifyOptions = {}): Promise<VerifyReport> {
  const began = performance.now();
  const { card } = model;
  const { options: targetOptions } = chosenOptions(target, model, options.targetOptions);
  const given = checked(
    options.ids ?? options.against?.ids ?? someTokens(card.vocab, Math.min(options.tokens ?? TOKENS, card.context)),
    card.vocab,
  );
  const thin = thinGraph(model.graph, chosenBlocks(model.graph, options));
  const { graph, ids } = (options.excerpt && excerptVocabulary(thin, given)) || { graph: thin, ids: given };
  const told = options.against && dumped(options.against, model, ids, options);
  const [actual, expected] = await bothOrNeither(options.signal, (signal) => [
    runExposed(model, graph, target, ids, {
      ...options,
      targetOptions: targetOptions as Readonly<Record<string, unknown>>,
      signal,
    }),
    told ? Promise.resolve(told) : computed(model, graph, ids, signal),
  ]);

  const thresholds = options.thresholds ?? thresholdsFor(targetOptions as object);
  const blocks = actual.blocks.flatMap(({ name, values }, at): BlockReport[] => {
    const wanted = expected.hidden[at];
    if (!wanted) return [];
    const found = distance(values, wanted);
    const allowed = allowedError(largest(wanted), thresholds);
    return [{ name, ...found, allowed, ok: holds(found, allowed, thresholds) }];
  });
  const found = logitsDistance(actual.logits, expected.logits, expected.logits.length / ids.length);
  const allowed = allowedError(largest(expected.logits), thresholds);
  const logits = { ...found, allowed, ok: holds(found, allowed, thresholds) };
  const ok = logits.ok && blocks.every((block) => block.ok);
  return { runner: actual.runner, tokens: ids.length, blocks, logits, ok, seconds: (performance.now() - began) / 1000 };
}

interface Expected {
  readonly hidden: readonly (Float32Array | undefined)[];
  readonly logits: Float32Array;
}

async function computed(model: Model, graph: Graph, ids: Int32Array, signal: AbortSignal): Promise<Expected> {
  // Each weight is needed once: there is no reason to hold more than a block's.
  const reference = new StreamedReference(graph, model.weights, { context: ids.length });
  return (await reference.step([{ slot: 0, at: 0, tokens: ids }], signal))[0]!;
}

/** Two pieces of work at once; where one fails, the other is stopped and waited for, so that nothing still reads the model. */
async function bothOrNeither<A, B>(
  signal: AbortSignal | undefined,
  start: (signal: AbortSignal) => readonly [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  const failed = new AbortController();
  const work = start(signal ? AbortSignal.any([signal, failed.signal]) : failed.signal);
  try {
    return await Promise.all(work);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(work);
    throw error;
  }
}

/** The dump's numbers, if they can be this model's for these tokens. */
function dumped(against: Dump, { card }: Model, ids: Int32Array, options: VerifyOptions): Expected {
  const refuse = (why: string) => new ToolchainError("input-invalid", `the dump ${why}`);
  if (options.layers !== undefined || options.blocks) throw refuse("is of the whole model: leave out --layers");
  if (!against.logits) throw refuse("has no logits");
  if (against.hidden.length > card.blocks + 1)
    throw refuse(`has ${against.hidden.length - 1} blocks, the model ${card.blocks}`);
  const sizes: [string, Float32Array | undefined, number][] = [
    ["logits", against.logits, card.vocab],
    ...against.hidden.map((values, i): [string, Float32Array | undefined, number] => [
      `hidden.${i}`,
      values,
      card.width,
    ]),
  ];
  for (const [name, values, width] of sizes)
    if (values && values.length !== ids.length * width)
      throw refuse(
        `has ${values.length} numbers in ${name}; ${ids.length} tokens of this model make ${ids.length} × ${width}`,
      );
  return { hidden: against.hidden, logits: against.logits };
}

function chosenBlocks(graph: Graph, { layers, blocks }: VerifyOptions): ReadonlySet<string> {
  const names = decoderBlocks(graph);
  if (blocks) return new Set(blocks.map((at) => names[at]!));
  const { from, to } = layers === undefined ? { from: 0, to: names.length - 1 } : layersOf(layers, names.length);
  return new Set(names.slice(from, to + 1));
}

/** Spread over the whole vocabulary, and the same every time. */
function someTokens(vocab: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => (i * 7919 + 13) % vocab); // 7919 is prime
}

function checked(ids: Int32Array, vocab: number): Int32Array {
  const outside = ids.find((id) => id >= vocab);
  if (ids.length > 0 && outside === undefined) return ids;
  if (outside === undefined) throw new ToolchainError("input-invalid", "there is no token to verify with");
  throw new ToolchainError("option-invalid", `token ${outside} is not in the vocabulary of ${vocab}`);
}

function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
