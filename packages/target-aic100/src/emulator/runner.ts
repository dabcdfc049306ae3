import { type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import { type Artefact, type Runner, TargetError } from "@llm/target";
import { f16ToF32, type Tensor } from "@llm/tensor";
import { MASK } from "../graph/form.ts";
import { NEXT_TOKENS } from "../graph/sampler-ports.ts";
import { type Settled, settle } from "../graph/settle.ts";
import { madeWith } from "../made-with.ts";
import { defaultOptions } from "../options.ts";
import { samplerInputs } from "../session/sampler-inputs.ts";
import type { Emulated } from "./emulated-card.ts";
import { addTwins, openCard } from "./open-card.ts";
import { roundCacheTo } from "./round-cache.ts";

/** Programs for the card have one net. */
const NET = "decoder";

/**
 * Runs an artefact's model on the canonical packed inputs, one sequence from position 0 on, in calls of the card's shapes. Models that
 * are for the compiler get the emulator's twin here.
 */
export async function openAic100Runner(artefact: Artefact): Promise<Runner> {
  const { folder, manifest } = artefact;
  const settled = settle({ ...defaultOptions(), ...madeWith(artefact) });
  await addTwins(folder);
  const { shapes, ctxLen, cache } = settled;
  const card = await openCard(folder, 0, { slots: shapes.slots, ctxLen, round: cache && roundCacheTo(cache) });
  if (card.output !== "logits") {
    await card.close();
    throw new TargetError("unsupported", `${folder} gives tokens and no logits to compare: see --on-device-sampling`);
  }
  return {
    name: "emulator",
    nets: [NET],
    async run(net, inputs) {
      if (net !== NET) throw new TargetError("unsupported", `${manifest.model.name} has no net ${net}, only ${NET}`);
      return runSequence(card, settled, inputs);
    },
    close: () => card.close(),
  };
}

async function runSequence(
  card: Emulated,
  settled: Settled,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const ids = inputs.ids!.data as Int32Array;
  const wanted = [...(inputs.rows!.data as Int32Array)];
  const slots = inputs.slots?.data as Int32Array | undefined;
  if (slots?.some((slot) => slot !== slots[0]) || (inputs.positions!.data as Int32Array).some((at, i) => at !== i))
    throw new TargetError("unsupported", "the emulator's runner takes one sequence, from position 0 on");
  if (ids.length >= settled.ctxLen)
    throw new TargetError("unsupported", `${ids.length} tokens don't fit into --ctx-len ${settled.ctxLen}`);
  const width = settled.generation === "index" ? 1 : settled.shapes.prefill;
  const results = new Map<string, Float32Array[]>();
  const logits = new Map<number, Float32Array>(); // by row
  const add = (name: string, rows: Float32Array) => void results.set(name, [...(results.get(name) ?? []), rows]);
  for (let from = 0; from < ids.length; from += width) {
    const to = Math.min(from + width, ids.length);
    const call = (end: number) => card.run(inputsOf(card, settled, { ids, from, to: end, width }));
    for (const [name, result] of Object.entries(await call(to)))
      if (name === "logits") logits.set(to - 1, ownRow(result, 1));
      else if (name !== NEXT_TOKENS) add(name, ownRow(result, to - from));
    // A call answers its last token only: others are asked for by calls that end with them.
    for (const row of wanted)
      if (row >= from && row < to - 1) logits.set(row, ownRow((await call(row + 1)).logits!, 1));
  }
  const joined = [...results].map(([name, rows]) => [name, tensorOf(rows, ids.length)] as const);
  return {
    ...Object.fromEntries(joined),
    logits: tensorOf(
      wanted.map((row) => logits.get(row)!),
      wanted.length,
    ),
  };
}

interface Span {
  readonly ids: Int32Array;
  readonly from: number;
  readonly to: number;
  readonly width: number;
}

/** One call for the tokens [from, to) of the first row; the others take no part. */
function inputsOf(
  card: Emulated,
  { shapes, ctxLen, sampler }: Settled,
  { ids, from, to, width }: Span,
): Record<string, OrtTensor> {
  const isMasked = card.inputs.includes("cache_index");
  const lanes = shapes.batchIndex ? 1 : shapes.slots;
  const columns = (value: (at: number) => number, rest: number) =>
    BigInt64Array.from({ length: lanes * width }, (_, i) => BigInt(i < to - from ? value(from + i) : rest));
  if (isMasked) {
    const mask = new Uint8Array(shapes.slots * ctxLen);
    card.give(MASK, mask.fill(1, 0, to));
  }
  const all: Readonly<Record<string, OrtTensor>> = {
    input_ids: ortTensor(
      "i64",
      [lanes, width],
      columns((at) => ids[at]!, 0),
    ),
    position_ids: ortTensor(
      "i64",
      [lanes, width],
      columns((at) => at, isMasked ? 0 : -1),
    ),
    batch_index: ortTensor("i64", [lanes, 1]),
    num_logits_to_keep: ortTensor("i64", [1, 1]),
    comp_ctx_lengths: ortTensor("i64", [ctxLen]),
    cache_index: ortTensor("i64", [1], BigInt64Array.of(BigInt(from))),
    reach: ortTensor("i64", [lanes, 1], new BigInt64Array(lanes).fill(BigInt(ids.length))),
  };
  const { vocab } = card;
  const candidates = Math.min(sampler?.candidates ?? 0, vocab);
  const choosing = samplerInputs({ lanes, width, outputs: [] }, [], { vocab, candidates });
  return Object.fromEntries(card.inputs.map((name) => [name, all[name] ?? choosing[name]!()]));
}

/** The first row's first tokens of a result (rows, tokens, …), as float32. */
function ownRow({ dtype, shape, data }: OrtTensor, tokens: number): Float32Array {
  const width = shape.slice(2).reduce((size, dim) => size * dim, 1);
  const own = data.slice(0, tokens * width);
  return dtype === "f16" ? f16ToF32(own as Uint16Array) : (own as Float32Array);
}

function tensorOf(rows: readonly Float32Array[], count: number): Tensor {
  const size = rows.reduce((sum, { length }) => sum + length, 0);
  const data = new Float32Array(size);
  let at = 0;
  for (const row of rows) {
    data.set(row, at);
    at += row.length;
  }
  return { dtype: "f32", shape: [count, size / count], data };
}
