import { type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import type { Limits, Row } from "@llm/target";
import { ABSENT, type FixedCall, type FixedShapes, fit } from "@llm/target/shapes";
import { PRESENCE_BUFFER, REPETITION_BUFFER, TOKEN_BITMASKS } from "../graph/sampler-ports.ts";
import type { Answers } from "./answer.ts";
import type { Card } from "./card.ts";
import { CardSession, roomFor } from "./card-session.ts";
import { endsInAnswer, SaidTokens } from "./said-tokens.ts";
import { samplerInputs } from "./sampler-inputs.ts";

export interface PositionsSessionOptions {
  readonly shapes: FixedShapes;
  readonly ctxLen: number;
  readonly width: number;
  /** Whether windowed layers keep less than the whole context. */
  readonly rings: boolean;
  /** Lengths of the cache that calls can be had for, in rising order; none: the whole only. */
  readonly compContexts: Readonly<Record<FixedCall["kind"], readonly number[]>>;
  /** Of a card that chooses tokens: how many of the best it chooses among. */
  readonly candidates?: number | undefined;
}

/** Histories on a card whose calls write at positions. */
export class PositionsSession extends CardSession {
  readonly #options: PositionsSessionOptions;
  /** Where the card chooses tokens. */
  readonly #said: SaidTokens | undefined;

  constructor(card: Card, options: PositionsSessionOptions) {
    super(card, limitsOf(card, options));
    this.#options = options;
    const { slots, context, vocab } = this.limits;
    if (card.output === "next_tokens") this.#said = new SaidTokens(slots, context, vocab);
  }

  protected async run(rows: readonly Row[]): Promise<readonly Answers[]> {
    const results = roomFor(rows, this.card);
    this.#said?.add(rows);
    const { before, last } = this.#said ? apart(rows) : { before: [], last: rows };
    await this.#runRows(before, results);
    await this.#runRows(last, results);
    return results;
  }

  async #runRows(rows: readonly Row[], results: readonly Answers[]): Promise<void> {
    const { shapes } = this.#options;
    const size = this.card.output === "logits" ? this.limits.vocab : 1;
    for (const call of fit(rows, shapes)) {
      const kept = call.kind === "decode" ? shapes.decode : 1;
      const said = this.#said?.flagsFor(call, rows);
      if (said) this.card.give(REPETITION_BUFFER, said.repeated);
      if (said) this.card.give(PRESENCE_BUFFER, said.present);
      // A prompt of one token may go where single tokens do.
      const of = call.positions.includes(0) ? "prefill" : call.kind;
      const answers = await this.card.call(this.#inputs(call, kept, rows), of);
      for (const { row, index, lane, column } of call.outputs) {
        const back = lastColumn(call, lane) - column; // 0 for a lane's last token, whose answer comes last
        const from = (lane * kept + kept - 1 - back) * size;
        results[row]!.set(answers.subarray(from, from + size), index * size);
      }
    }
  }

  #inputs(call: FixedCall, kept: number, rows: readonly Row[]): Record<string, OrtTensor> {
    const { lanes, width } = call;
    const wide = (numbers: Int32Array) => BigInt64Array.from(numbers, BigInt);
    const { vocab } = this.limits;
    const { candidates } = this.#options;
    const make: Readonly<Record<string, () => OrtTensor>> = {
      ...(candidates === undefined ? {} : samplerInputs(call, rows, { vocab, candidates })),
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

/** Rows without what has to go by itself, which are to run first; and all rows' ends, with what they want. */
function apart(rows: readonly Row[]): { readonly before: readonly Row[]; readonly last: readonly Row[] } {
  const before: Row[] = [];
  const last = rows.map((row) => {
    const { slot, at, tokens, reach, want } = row;
    const split = tokens.length - (want?.last ?? 0);
    if (split === 0 || !endsInAnswer(row)) return row;
    before.push({ slot, at, tokens: tokens.subarray(0, split), reach: reach ?? at + tokens.length });
    return { ...row, at: at + split, tokens: tokens.subarray(split) };
  });
  return { before, last };
}

function lastColumn({ positions, width }: FixedCall, lane: number): number {
  let column = width - 1;
  while (column > 0 && positions[lane * width + column] === ABSENT) column--;
  return column;
}

function reachOf({ reach, at, tokens }: Row): number {
  return reach ?? at + tokens.length;
}

/** Where logits come back, all that follows from them is found here. */
const FROM_LOGITS = { wants: ["logits", "top", "token"], sampling: ["greedy"] } as const;

function chosenThere({ vocab, inputs }: Card, candidates: number) {
  const masks = inputs.includes(TOKEN_BITMASKS);
  return {
    wants: ["token"],
    sampling: ["greedy", "sample"],
    ...(candidates < vocab ? { sampleTopK: candidates } : {}),
    samplePenalties: ["repetition", "presence"],
    masks,
    ...(masks ? {} : { masksBy: "--include-guided-decoding" }),
  } as const;
}

function limitsOf(card: Card, { shapes, ctxLen, width, rings, candidates }: PositionsSessionOptions): Limits {
  const context = ctxLen - 1; // the last place is where padding goes
  return {
    slots: shapes.slots,
    context,
    cacheTokens: shapes.slots * context,
    vocab: card.vocab,
    width,
    chunk: Math.min(Math.max(shapes.prefill, shapes.decode), context),
    verify: shapes.decode,
    resume: true,
    rewind: rings ? Math.max(shapes.prefill, shapes.decode) : context,
    lockstep: false,
    fork: "none",
    ...(candidates === undefined ? FROM_LOGITS : chosenThere(card, candidates)),
    adapters: 0,
    batchInvariant: false, // a prompt's calls and a token's may take different kernels
    ...(card.inputs.includes("reach") ? { reach: true } : {}),
  };
}
