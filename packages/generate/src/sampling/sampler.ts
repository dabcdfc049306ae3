import { GenerateError } from "../error.ts";
import { draw, type RandomState, randomState } from "../random/random-state.ts";
import { bestAllowed, ruleOut } from "./allowed.ts";
import { epsilonCutoff, etaCutoff, type Filter, minP, topK, topP, typicalP } from "./filters.ts";
import { asksFor, scoreOptions } from "./neutral.ts";
import { checkSampling, isGreedy, type SamplingOptions } from "./options.ts";
import { type History, PENALTIES, type PenaltyContext } from "./penalties.ts";
import { type Distribution, Row } from "./row.ts";

export interface SamplerContext {
  readonly vocab: number;
  /** Tokens that end a text: what `minNewTokens` and the length penalty are about. */
  readonly eos?: readonly number[];
}

export interface Choice {
  readonly token: number;
  readonly random: RandomState; // after the choice
}

interface FilterOption {
  readonly option: "topK" | "topP" | "minP" | "typicalP" | "epsilonCutoff" | "etaCutoff";
  readonly filter: Filter;
}

/** The options that leave tokens out, in the published order. */
const FILTERS: readonly FilterOption[] = [
  { option: "topK", filter: topK },
  { option: "topP", filter: topP },
  { option: "minP", filter: minP },
  { option: "typicalP", filter: typicalP },
  { option: "epsilonCutoff", filter: epsilonCutoff },
  { option: "etaCutoff", filter: etaCutoff },
];

/** What no device draws from by itself. */
const BEYOND_DEVICES = ["typicalP", "epsilonCutoff", "etaCutoff"] as const;

/** Chooses tokens by one request's options, in the published order of processors. Holds no state between tokens but scratch. */
export class Sampler {
  readonly options: SamplingOptions;
  readonly greedy: boolean;
  readonly vocab: number;
  readonly #eos: readonly number[];
  readonly #row: Row;
  readonly #filters: readonly FilterOption[];
  /** True when no option changes the model's scores before the choice. */
  readonly isPlain: boolean;

  constructor(options: SamplingOptions, { vocab, eos = [] }: SamplerContext) {
    checkSampling(options, vocab);
    this.options = options.sequenceBias ? { ...options, sequenceBias: lastOfEach(options.sequenceBias) } : options;
    this.greedy = isGreedy(options);
    this.vocab = vocab;
    this.#eos = [...new Set(eos.filter((id) => id >= 0 && id < vocab))];
    this.#row = rowFor(vocab);
    this.#filters = FILTERS.filter(({ option }) => asksFor(options, option));
    this.isPlain = scoreOptions(options).length === 0;
  }

  /** True when the best token of the logits as they are is the choice. */
  get isPlainGreedy(): boolean {
    return this.greedy && this.isPlain;
  }

  /** True when how to choose, penalties aside, is among what devices that sample do themselves. */
  get isDeviceSampling(): boolean {
    return !BEYOND_DEVICES.some((option) => asksFor(this.options, option));
  }

  /** The penalties that are asked for; undefined where other options change scores, which no device knows. */
  get devicePenalties(): readonly ("repetition" | "presence")[] | undefined {
    const { repetitionPenalty = 1, presencePenalty = 0, ...others } = this.options;
    if (scoreOptions(others).length > 0) return undefined;
    return [
      ...(repetitionPenalty === 1 ? [] : ["repetition" as const]),
      ...(presencePenalty === 0 ? [] : ["presence" as const]),
    ];
  }

  /** What of the options a device can't do that chooses tokens by these penalties, by name. */
  beyondDevice(penalties: readonly ("repetition" | "presence")[]): readonly string[] {
    const { repetitionPenalty = 1, presencePenalty = 0, ...others } = this.options;
    return [
      ...scoreOptions(others),
      ...(repetitionPenalty === 1 || penalties.includes("repetition") ? [] : ["repetitionPenalty"]),
      ...(presencePenalty === 0 || penalties.includes("presence") ? [] : ["presencePenalty"]),
      ...(this.greedy ? [] : BEYOND_DEVICES.filter((option) => asksFor(this.options, option))),
    ];
  }

  /** The next token after `history`, given the model's logits (which stay as they are). `allow` is a bit mask, LSB first. */
  choose(logits: Float32Array, history: History, random: RandomState, allow?: Uint32Array): Choice {
    if (this.greedy) {
      const scores = this.adjust(logits, history);
      const token = allow ? bestAllowed(scores, allow) : argmax(scores);
      if (token < 0) throw nothingLeft(logits);
      return { token, random };
    }
    const [u, after] = draw(random);
    const token = this.#filtered(logits, history, allow).draw(u);
    if (token === undefined) throw nothingLeft(logits);
    return { token, random: after };
  }

  /** What `choose` draws from. */
  distribution(logits: Float32Array, history: History, allow?: Uint32Array): Distribution {
    if (this.greedy) {
      const { token } = this.choose(logits, history, randomState(), allow);
      return { ids: Int32Array.of(token), probs: Float64Array.of(1) };
    }
    return this.#filtered(logits, history, allow).distribution();
  }

  /** The scores that are chosen from, before temperature and what it leaves: a view that lives until the next call. */
  adjust(logits: Float32Array, history: History, allow?: Uint32Array): Float32Array {
    return this.isPlain && !allow ? logits : this.#penalised(logits, history, allow);
  }

  #penalised(logits: Float32Array, history: History, allow: Uint32Array | undefined): Float32Array {
    const { scores } = this.#row;
    scores.set(logits);
    const context: PenaltyContext = { options: this.options, eos: this.#eos, history };
    if (!this.isPlain) for (const penalty of PENALTIES) penalty(scores, context);
    if (allow) ruleOut(scores, allow);
    return scores;
  }

  #filtered(logits: Float32Array, history: History, allow: Uint32Array | undefined): Row {
    const { options } = this;
    const row = this.#row;
    const { temperature = 1 } = options;
    row.load(this.adjust(logits, history, allow), temperature);
    // So low a temperature leads out of what a score can be; relative to the best the distribution is the same.
    if (!Number.isFinite(row.best)) row.load(fromBest(this.adjust(logits, history, allow)), temperature);
    if (!Number.isFinite(row.best)) throw nothingLeft(logits);
    for (const { option, filter } of this.#filters) filter(row, options[option]!);
    return row;
  }
}

type SequenceBias = NonNullable<SamplingOptions["sequenceBias"]>;

/** Of a sequence that is named twice the last bias counts, as where transformers makes a table of them. */
function lastOfEach(biases: SequenceBias): SequenceBias {
  return [...new Map(biases.map((each) => [each[0].join(), each])).values()];
}

/** One for each size of vocabulary, not for each request: nothing in it outlives a call. */
const rows = new Map<number, Row>();

function rowFor(vocab: number): Row {
  let row = rows.get(vocab);
  if (!row) rows.set(vocab, (row = new Row(vocab)));
  return row;
}

/** The first of the best, or -1 where none is possible. */
function argmax(scores: Float32Array): number {
  let best = -1;
  let most = -Infinity;
  for (let id = 0; id < scores.length; id++)
    if (scores[id]! > most) {
      most = scores[id]!;
      best = id;
    }
  return best;
}

/** Scores as differences from the best. */
function fromBest(scores: Float32Array): Float32Array {
  const best = scores[argmax(scores)] ?? 0;
  return scores.map((score) => score - best);
}

/** Why there is no token to choose: the options are to blame only where the model gave numbers. */
export function nothingLeft(logits: Float32Array): GenerateError {
  const broken = [NaN, Infinity].find((value) => logits.includes(value));
  return broken === undefined
    ? new GenerateError("nothing-left", "the options rule out every token")
    : new GenerateError(
        "logits-invalid",
        `the model's logits hold ${broken}: its weights or its computation went wrong`,
      );
}
