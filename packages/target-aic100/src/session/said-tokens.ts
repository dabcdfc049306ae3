import type { DeviceSampling, Row } from "@llm/target";
import type { FixedCall } from "@llm/target/shapes";

/** What penalties count: flags (slots, vocab) of tokens that a sequence has, and of those that its answer has. */
export interface SaidFlags {
  readonly repeated: Uint8Array;
  readonly present: Uint8Array;
}

/**
 * What every slot said. A card keeps that too, by the calls that tokens came in; which of them are an answer's it can only guess
 * when a sequence is computed anew or goes back, so calls with penalties are given it.
 */
export class SaidTokens {
  readonly #histories: readonly Int32Array[];
  readonly #vocab: number;

  constructor(slots: number, context: number, vocab: number) {
    this.#histories = Array.from({ length: slots }, () => new Int32Array(context));
    this.#vocab = vocab;
  }

  /** Takes down what rows say. */
  add(rows: readonly Row[]): void {
    for (const { slot, at, tokens } of rows) this.#histories[slot]!.set(tokens, at);
  }

  /** The flags that a call's lanes go by; nothing where none of them has penalties. */
  flagsFor({ positions, slots, width, outputs }: FixedCall, rows: readonly Row[]): SaidFlags | undefined {
    const penalised = outputs.flatMap(({ row, lane, column }) => {
      const sampling = samplingOf(rows[row]!);
      return hasPenalties(sampling)
        ? [{ slot: slots[lane]!, end: positions[lane * width + column]! + 1, sampling }]
        : [];
    });
    if (penalised.length === 0) return undefined;
    const size = this.#histories.length * this.#vocab;
    const flags = { repeated: new Uint8Array(size), present: new Uint8Array(size) };
    for (const { slot, end, sampling } of penalised)
      for (let at = 0; at < end; at++) {
        const place = slot * this.#vocab + this.#histories[slot]![at]!;
        flags.repeated[place] = 1;
        if (at >= (sampling.answerFrom ?? 0)) flags.present[place] = 1;
      }
    return flags;
  }
}

/**
 * Whether a row's last tokens have to go by themselves, as decoding does: a prompt's call takes all that it is given for a
 * prompt, so that nothing of it is present.
 */
export function endsInAnswer(row: Row): boolean {
  const { presencePenalty = 0, answerFrom = 0 } = samplingOf(row);
  return presencePenalty !== 0 && row.at + row.tokens.length > answerFrom;
}

function samplingOf({ want }: Row): DeviceSampling {
  return want?.kind === "token" ? want.sampling : { method: "greedy" };
}

function hasPenalties({ repetitionPenalty = 1, presencePenalty = 0 }: DeviceSampling): boolean {
  return repetitionPenalty !== 1 || presencePenalty !== 0;
}
