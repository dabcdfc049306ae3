/** What a stretch of text says about a model, and about how far it is from another; sums, so that stretches add up. */
export interface Score {
  /** Tokens that were predicted. */
  readonly tokens: number;
  /** Σ −ln p(token), in nats. */
  readonly loss: number;
  /** The same of the model that it is compared with. */
  readonly baseLoss: number;
  /** Σ Kullback-Leibler divergence of the model's distribution from the other's, in nats. */
  readonly divergence: number;
  /** After how many tokens both think the same one likeliest. */
  readonly agreed: number;
}

export const NO_SCORE: Score = { tokens: 0, loss: 0, baseLoss: 0, divergence: 0, agreed: 0 };

export function addScores(a: Score, b: Score): Score {
  return {
    tokens: a.tokens + b.tokens,
    loss: a.loss + b.loss,
    baseLoss: a.baseLoss + b.baseLoss,
    divergence: a.divergence + b.divergence,
    agreed: a.agreed + b.agreed,
  };
}

/** Figures for people. */
export interface Quality {
  readonly tokens: number;
  readonly perplexity: number;
  readonly kl: number; // nats a token
  readonly top1Agreement: number;
  readonly basePerplexity: number;
}

export function qualityOf({ tokens, loss, baseLoss, divergence, agreed }: Score): Quality {
  return {
    tokens,
    perplexity: Math.exp(loss / tokens),
    kl: divergence / tokens,
    top1Agreement: agreed / tokens,
    basePerplexity: Math.exp(baseLoss / tokens),
  };
}

/**
 * Compares rows of logits, (rows, vocab) each: what `actual` makes of the tokens that really follow, and how far it is from
 * `base`. All sums are in double precision.
 */
export function scoreRows(actual: Float32Array, base: Float32Array, targets: ArrayLike<number>, vocab: number): Score {
  const sums = { tokens: targets.length, loss: 0, baseLoss: 0, divergence: 0, agreed: 0 };
  for (let row = 0; row < targets.length; row++) {
    const from = row * vocab;
    const q = normalised(actual, from, vocab);
    const p = actual === base ? q : normalised(base, from, vocab);
    const target = from + targets[row]!;
    sums.loss += q.logSum - actual[target]!;
    sums.baseLoss += p.logSum - base[target]!;
    sums.divergence += actual === base ? 0 : divergence(base, p.logSum, actual, q.logSum, from, vocab);
    // A row with a NaN has no likeliest token, whatever place the search stopped at.
    if (q.best === p.best && !Number.isNaN(q.logSum) && !Number.isNaN(p.logSum)) sums.agreed++;
  }
  return sums;
}

/** Logarithm of the sum of exponentials, and the place of the greatest, the first of equals. */
function normalised(logits: Float32Array, from: number, vocab: number): { logSum: number; best: number } {
  let best = from;
  for (let i = from + 1; i < from + vocab; i++) if (logits[i]! > logits[best]!) best = i;
  const most = logits[best]!;
  let sum = 0;
  for (let i = from; i < from + vocab; i++) sum += Math.exp(logits[i]! - most);
  return { logSum: most + Math.log(sum), best: best - from };
}

function divergence(
  base: Float32Array,
  baseLogSum: number,
  actual: Float32Array,
  logSum: number,
  from: number,
  vocab: number,
): number {
  let total = 0;
  for (let i = from; i < from + vocab; i++) {
    const logP = base[i]! - baseLogSum;
    const p = Math.exp(logP);
    if (p > 0) total += p * (logP - (actual[i]! - logSum));
  }
  return Math.max(0, total); // rounding may leave a little below nothing
}

/** Σ ln p(token) over rows of logits, and whether each token is the likeliest. */
export function logLikelihood(
  logits: Float32Array,
  targets: ArrayLike<number>,
  vocab: number,
): { readonly sum: number; readonly greedy: boolean } {
  let sum = 0;
  let greedy = true;
  for (let row = 0; row < targets.length; row++) {
    const { logSum, best } = normalised(logits, row * vocab, vocab);
    sum += logits[row * vocab + targets[row]!]! - logSum;
    greedy &&= best === targets[row];
  }
  return { sum, greedy };
}
