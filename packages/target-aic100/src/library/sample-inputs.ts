import type { Graph } from "@llm/core-ir";
import { type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import { MASK } from "../graph/form.ts";
import { RANDOM_NUMBERS, REPETITION_BUFFER } from "../graph/sampler-ports.ts";
import { samplerInputs } from "../session/sampler-inputs.ts";

export interface SampleShape {
  /** Tokens of the call. */
  readonly length: number;
  /** Places of the cache, where there is one. */
  readonly ctxLen: number;
}

/**
 * What a graph is given to compute a text at once, by the names of its inputs. Caches aren't among them: they start empty. Each form
 * has padding of its own: on the left where rows share their columns, else on the right, at positions that no token has.
 */
export function sampleInputs(
  graph: Graph,
  ids: readonly number[],
  { length, ctxLen }: SampleShape,
): Readonly<Record<string, OrtTensor>> {
  const names = graph.inputs.map(({ id }) => id);
  const sharesColumns = names.includes("cache_index");
  const from = sharesColumns ? length - ids.length : 0;
  const nowhere = sharesColumns || names.includes(MASK) ? 0 : -1;
  const isToken = (at: number) => at >= from && at < from + ids.length;
  const row = (value: (token: number) => number, rest: number) =>
    ortTensor(
      "i64",
      [1, length],
      BigInt64Array.from({ length }, (_, at) => BigInt(isToken(at) ? value(at - from) : rest)),
    );
  const one = (value: number, shape: readonly number[] = [1, 1]) =>
    ortTensor("i64", shape, BigInt64Array.of(BigInt(value)));
  const columns = Uint8Array.from({ length: ctxLen }, (_, at) => Number(isToken(at)));
  const last = (id: string) =>
    Number(
      [...graph.inputs, ...graph.states.map(({ value }) => value)].find((value) => value.id === id)!.type.shape.at(-1),
    );
  const make: Readonly<Record<string, () => OrtTensor>> = {
    input_ids: () => row((token) => ids[token]!, 0),
    position_ids: () => row((token) => token, nowhere),
    batch_index: () => one(0),
    num_logits_to_keep: () => one(0),
    comp_ctx_lengths: () => ortTensor("i64", [ctxLen]),
    reach: () => one(ids.length),
    cache_index: () => one(0, [1]),
    [MASK]: () => (sharesColumns ? ortTensor("bool", [1, ctxLen], columns) : row(() => 1, 0)),
    ...(names.includes(RANDOM_NUMBERS)
      ? samplerInputs({ lanes: 1, width: length, outputs: [] }, [], {
          vocab: last(REPETITION_BUFFER),
          candidates: last(RANDOM_NUMBERS),
        })
      : {}),
  };
  return Object.fromEntries([...names, ...(sharesColumns ? [MASK] : [])].map((name) => [name, make[name]!()]));
}
