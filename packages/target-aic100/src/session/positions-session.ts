import { type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import type { Limits, Row } from "@llm/target";
import { ABSENT, type FixedCall, type FixedShapes, fit } from "@llm/target/shapes";
import type { Card } from "./card.ts";
import { CardSession, roomFor } from "./card-session.ts";

export interface PositionsSessionOptions {
  readonly shapes: FixedShapes;
  readonly ctxLen: number;
  readonly width: number;
  /** Whether windowed layers keep less than the whole context. */
  readonly rings: boolean;
  /** Lengths of the cache that calls can be had for, in rising order; none: the whole only. */
  readonly compContexts: Readonly<Record<FixedCall["kind"], readonly number[]>>;
}

/** Histories on a card whose calls write at positions. */
export class PositionsSession extends CardSession {
  readonly #options: PositionsSessionOptions;

  constructor(card: Card, options: PositionsSessionOptions) {
    super(card, limitsOf(card, options));
    this.#options = options;
  }

  protected async run(rows: readonly Row[]): Promise<readonly Float32Array[]> {
    const { shapes } = this.#options;
    const { vocab } = this.limits;
    const results = roomFor(rows, vocab);
    for (const call of fit(rows, shapes)) {
      const kept = call.kind === "decode" ? shapes.decode : 1;
      const logits = await this.card.call(this.#inputs(call, kept, rows));
      for (const { row, index, lane, column } of call.outputs) {
        const back = lastColumn(call, lane) - column; // 0 for a lane's last token, whose logits come last
        const from = (lane * kept + kept - 1 - back) * vocab;
        results[row]!.set(logits.subarray(from, from + vocab), index * vocab);
      }
    }
    return results;
  }

  #inputs(call: FixedCall, kept: number, rows: readonly Row[]): Record<string, OrtTensor> {
    const { lanes, width } = call;
    const wide = (numbers: Int32Array) => BigInt64Array.from(numbers, BigInt);
    const make: Readonly<Record<string, () => OrtTensor>> = {
      input_ids: () => ortTensor("i64", [lanes, width], wide(call.ids)),
      position_ids: () => ortTensor("i64", [lanes, width], wide(call.positions)),
      batch_index: () => ortTensor("i64", [lanes, 1], wide(call.slots)),
      num_logits_to_keep: () => ortTensor("i64", [kept, 1]),
      comp_ctx_lengths: () => ortTensor("i64", [this.#contextFor(call)]),
      reach: () => ortTensor("i64", [lanes, 1], wide(call.rows.map((row) => (row < 0 ? 0 : reachOf(rows[row]!))))),
    };
    return Object.fromEntries(this.card.inputs.map((name) => [name, make[name]!()]));
  }

  /** The shortest length that has all tokens the call's rows see. */
  #contextFor({ kind, positions }: FixedCall): number {
    const { compContexts, ctxLen } = this.#options;
    const places = positions.reduce((most, position) => Math.max(most, position + 1), 1);
    return compContexts[kind].find((length) => length >= places) ?? ctxLen;
  }
}

function lastColumn({ positions, width }: FixedCall, lane: number): number {
  let column = width - 1;
  while (column > 0 && positions[lane * width + column] === ABSENT) column--;
  return column;
}

function reachOf({ reach, at, tokens }: Row): number {
  return reach ?? at + tokens.length;
}

function limitsOf(card: Card, { shapes, ctxLen, width, rings }: PositionsSessionOptions): Limits {
  const context = ctxLen - 1; // the last place is where padding goes
  return {
    slots: shapes.slots,
    context,
    cacheTokens: shapes.slots * context,
    vocab: card.vocab,
    width,
    chunk: Math.min(shapes.prefill, context),
    verify: shapes.decode,
    resume: true,
    rewind: rings ? Math.max(shapes.prefill, shapes.decode) : context,
    lockstep: false,
    fork: "none",
    wants: ["logits", "top", "token"],
    sampling: ["greedy"],
    adapters: 0,
    batchInvariant: false, // a prompt's calls and a token's may take different kernels
    ...(card.inputs.includes("reach") ? { reach: true } : {}),
  };
}
