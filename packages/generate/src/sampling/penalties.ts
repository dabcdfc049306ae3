import type { SamplingOptions } from "./options.ts";
import { runsBefore } from "./repeated-runs.ts";
import { HIGHEST } from "./row.ts";

/** What was said before the token to choose. */
export interface History {
  readonly tokens: ArrayLike<number>; // prompt and answer
  readonly length: number; // how many of them count
  readonly promptLength: number;
}

export interface PenaltyContext {
  readonly options: SamplingOptions;
  readonly eos: readonly number[];
  readonly history: History;
}

/** One step of the published order, on scores of the whole vocabulary; touches few of them. */
type Penalty = (scores: Float32Array, context: PenaltyContext) => void;

const sequenceBias: Penalty = (scores, { options, history }) => {
  for (const [sequence, bias] of options.sequenceBias ?? [])
    if (endsWithStart(history, sequence)) scores[sequence.at(-1)!]! += bias ?? -Infinity;
};

const logitBias: Penalty = (scores, { options }) => {
  for (const [id, bias] of Object.entries(options.logitBias ?? {})) scores[Number(id)]! += bias ?? -Infinity;
};

const repetition: Penalty = (scores, { options, history }) => {
  const penalty = Math.fround(options.repetitionPenalty ?? 1);
  if (penalty === 1) return;
  for (const id of distinct(history, 0, scores.length)) {
    const score = scores[id]!;
    scores[id] = score < 0 ? score * penalty : score / penalty;
  }
};

const presenceAndFrequency: Penalty = (scores, { options, history }) => {
  const { presencePenalty: presence = 0, frequencyPenalty: frequency = 0 } = options;
  if (presence === 0 && frequency === 0) return;
  for (let i = history.promptLength; i < history.length; i++) scores[history.tokens[i]!]! -= frequency;
  for (const id of distinct(history, history.promptLength, scores.length)) scores[id]! -= presence;
};

/** What makes a repetition's run longer is punished exponentially in the length it would have. */
const dry: Penalty = (scores, { options, history: { tokens, length } }) => {
  const { dryMultiplier: multiplier = 0, dryBase: base = 1.75, dryAllowedLength: allowed = 2 } = options;
  if (multiplier === 0 || length === 0) return;
  const longest = runsBefore(tokens, length, new Set(options.drySequenceBreakers));
  for (const [id, run] of longest) if (run >= allowed) scores[id]! -= multiplier * base ** (run - allowed);
};

const noRepeatNgram: Penalty = (scores, { options, history: { tokens, length } }) => {
  const n = options.noRepeatNgramSize ?? 0;
  if (n === 0 || length + 1 < n) return;
  for (let i = 0; i + n <= length; i++) {
    let same = true;
    for (let j = 0; j < n - 1 && same; j++) same = tokens[i + j] === tokens[length - n + 1 + j];
    if (same) scores[tokens[i + n - 1]!] = -Infinity;
  }
};

const badWords: Penalty = (scores, { options, history, eos }) => {
  for (const sequence of options.badWordsIds ?? []) {
    if (sequence.length === 1 && eos.includes(sequence[0]!)) continue; // the end can't be banned this way
    if (endsWithStart(history, sequence)) scores[sequence.at(-1)!] = -Infinity;
  }
};

const minNewTokens: Penalty = (scores, { options, history, eos }) => {
  if (history.length - history.promptLength >= (options.minNewTokens ?? 0)) return;
  for (const id of eos) scores[id] = -Infinity;
};

const lengthDecay: Penalty = (scores, { options, history, eos }) => {
  const [start, factor] = options.exponentialDecayLengthPenalty ?? [Infinity, 1];
  const over = history.length - history.promptLength - start;
  if (!(over > 0)) return;
  const grown = Math.min(factor ** over, Number.MAX_VALUE) - 1;
  // Past what a score can be it would be no number that anything is held against.
  for (const id of eos)
    if (scores[id]! > -Infinity) scores[id] = Math.min(scores[id]! + Math.abs(scores[id]!) * grown, HIGHEST);
};

const suppress: Penalty = (scores, { options }) => {
  for (const id of options.suppressTokens ?? []) scores[id] = -Infinity;
};

/** The order is the published one; what other programs added stands beside its nearest relative. */
export const PENALTIES: readonly Penalty[] = [
  sequenceBias,
  logitBias,
  repetition,
  presenceAndFrequency,
  dry,
  noRepeatNgram,
  badWords,
  minNewTokens,
  lengthDecay,
  suppress,
];

/** Whether the history ends with all but the last token of a sequence. */
function endsWithStart({ tokens, length }: History, sequence: readonly number[]): boolean {
  const before = sequence.length - 1;
  if (before > length) return false;
  for (let i = 0; i < before; i++) if (tokens[length - before + i] !== sequence[i]) return false;
  return true;
}

let seen = new Uint8Array(0);

/** Each token from there on once: by a mark for each of the vocabulary, which costs a long history less than a set. */
function distinct({ tokens, length }: History, from: number, vocab: number): readonly number[] {
  if (seen.length < vocab) seen = new Uint8Array(vocab);
  const ids: number[] = [];
  for (let i = from; i < length; i++) {
    const id = tokens[i]!;
    if (seen[id] !== 0) continue;
    seen[id] = 1;
    ids.push(id);
  }
  for (const id of ids) seen[id] = 0;
  return ids;
}
