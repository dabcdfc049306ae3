import { type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import type { Limits, Row } from "@llm/target";
import { MASK } from "../graph/form.ts";
import type { Answers } from "./answer.ts";
import type { CallOf, Card } from "./card.ts";
import { CardSession, roomFor } from "./card-session.ts";

export interface IndexSessionOptions {
  readonly slots: number;
  readonly prefill: number;
  readonly ctxLen: number;
  readonly width: number;
}

/** The tokens of a step as columns that rows share, short rows padded on the left. */
interface Columns {
  readonly count: number;
  readonly ids: Int32Array; // (slots, count)
  readonly positions: Int32Array; // 0 where no token is
  readonly present: Uint8Array;
}

/** Histories on a card whose rows all write to the same columns. */
export class IndexSession extends CardSession {
  readonly #options: IndexSessionOptions;
  readonly #mask: Uint8Array; // (slots, context)
  /** Columns that are used up. */
  #index = 0;

  constructor(card: Card, options: IndexSessionOptions) {
    super(card, limitsOf(card, options));
    this.#options = options;
    this.#mask = new Uint8Array(options.slots * options.ctxLen);
  }

  protected async run(rows: readonly Row[]): Promise<readonly Answers[]> {
    const results = roomFor(rows, this.card);
    if (rows.length === 0) return results;
    const { prefill } = this.#options;
    const starts = rows.every(({ at }) => at === 0);
    if (starts) {
      this.#index = 0;
      this.#mask.fill(0);
    }
    // Only a call's last column is answered, so columns that several answers are wanted of are calls of their own.
    const most = Math.max(...rows.map(({ want }) => want?.last ?? 0));
    const single = most > 1 ? most : 0;
    const widest = Math.max(...rows.map(({ tokens }) => tokens.length));
    const before = Math.max(0, widest - single);
    const whole = starts ? Math.ceil(before / prefill) * prefill : before;
    const columns = layOut(rows, this.#options.slots, whole + widest - before);
    for (let at = 0; at < columns.count; ) {
      const left = whole - at;
      // What is left over of whole calls goes first, one by one.
      const width = left >= prefill && left % prefill === 0 ? prefill : 1;
      await this.#call(columns, at, width, rows, results, starts ? "prefill" : "decode");
      at += width;
    }
    this.#index += columns.count;
    return results;
  }

  async #call(
    columns: Columns,
    at: number,
    width: number,
    rows: readonly Row[],
    results: readonly Answers[],
    of: CallOf,
  ) {
    const { slots, ctxLen } = this.#options;
    const { vocab } = this.limits;
    const cut = (from: Int32Array) =>
      BigInt64Array.from({ length: slots * width }, (_, i) =>
        BigInt(from[Math.floor(i / width) * columns.count + at + (i % width)]!),
      );
    for (let slot = 0; slot < slots; slot++) {
      const own = columns.present.subarray(slot * columns.count + at, slot * columns.count + at + width);
      this.#mask.set(own, slot * ctxLen + this.#index + at);
    }
    this.card.give(MASK, this.#mask);
    const inputs: Readonly<Record<string, OrtTensor>> = {
      input_ids: ortTensor("i64", [slots, width], cut(columns.ids)),
      position_ids: ortTensor("i64", [slots, width], cut(columns.positions)),
      reach: ortTensor("i64", [slots, 1], reachOf(rows, slots)),
      cache_index: ortTensor("i64", [1], BigInt64Array.of(BigInt(this.#index + at))),
    };
    const given = Object.fromEntries(this.card.inputs.map((name) => [name, inputs[name]!]));
    const logits = await this.card.call(given, of);
    const back = columns.count - at - width; // 0 for everyone's last token
    rows.forEach(({ slot, want }, row) => {
      if (!want || back >= want.last) return;
      results[row]!.set(logits.subarray(slot * vocab, (slot + 1) * vocab), (want.last - 1 - back) * vocab);
    });
  }
}

/** How long each slot's whole prompt is, for rotary scalings that depend on it. */
function reachOf(rows: readonly Row[], slots: number): BigInt64Array {
  const lengths = new BigInt64Array(slots);
  for (const { slot, at, tokens, reach } of rows) lengths[slot] = BigInt(reach ?? at + tokens.length);
  return lengths;
}

function layOut(rows: readonly Row[], slots: number, count: number): Columns {
  const ids = new Int32Array(slots * count);
  const positions = new Int32Array(slots * count);
  const present = new Uint8Array(slots * count);
  for (const { slot, at, tokens } of rows) {
    const from = slot * count + count - tokens.length;
    ids.set(tokens, from);
    present.fill(1, from, from + tokens.length);
    tokens.forEach((_, i) => {
      positions[from + i] = at + i;
    });
  }
  return { count, ids, positions, present };
}

function limitsOf({ vocab, inputs }: Card, { slots, prefill, ctxLen, width }: IndexSessionOptions): Limits {
  const context = ctxLen - prefill + 1; // padding of a first prompt takes up to prefill - 1 columns
  return {
    slots,
    context,
    cacheTokens: slots * context,
    vocab,
    width,
    chunk: context,
    verify: 1,
    resume: true,
    rewind: 0,
    lockstep: true,
    fork: "none",
    wants: ["logits", "top", "token"],
    sampling: ["greedy"],
    adapters: 0,
    batchInvariant: false,
    ...(inputs.includes("reach") ? { reach: true } : {}),
  };
}
