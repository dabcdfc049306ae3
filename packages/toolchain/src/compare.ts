/** How far one array is from another that it should equal. */
export interface Distance {
  readonly mse: number;
  readonly maxAbs: number;
  /** Of the two as vectors; 1 for equal directions, and for two arrays of zeros. */
  readonly cosine: number;
}

/** The same over logits: how often both think the same token likeliest. */
export interface LogitsDistance extends Distance {
  readonly top1Agreement: number;
}

/** Compares in double precision; a value that isn't a number makes every figure NaN, never a pass. */
export function distance(actual: Float32Array, expected: Float32Array): Distance {
  if (actual.length !== expected.length)
    throw new RangeError(`${actual.length} values can't be compared with ${expected.length}`);
  let squares = 0;
  let maxAbs = 0;
  let dot = 0;
  let normA = 0;
  let normB = 0;
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i]!;
    const b = expected[i]!;
    const difference = Math.abs(a - b);
    squares += difference * difference;
    if (difference > maxAbs || Number.isNaN(difference)) maxAbs = difference;
    dot += a * b;
    normA += a * a;
    normB += b * b;
  }
  const norm = Math.sqrt(normA) * Math.sqrt(normB);
  const cosine = norm === 0 ? (normA === normB ? 1 : 0) : dot / norm;
  return {
    mse: actual.length === 0 ? 0 : squares / actual.length,
    maxAbs: Number.isNaN(squares) ? Number.NaN : maxAbs,
    cosine,
  };
}

/** `vocab` values a row. */
export function logitsDistance(actual: Float32Array, expected: Float32Array, vocab: number): LogitsDistance {
  const same = argmaxRows(actual, vocab).filter((id, row) => id === argmax(expected, row * vocab, vocab)).length;
  return { ...distance(actual, expected), top1Agreement: same / Math.max(1, expected.length / vocab) };
}

/** The place of the greatest of `count` values from `from` on, the first of equals. */
export function argmax(values: Float32Array, from = 0, count: number = values.length): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[from + i]! > values[from + best]!) best = i;
  return best;
}

/** `argmax` of each row of `width` values. */
export function argmaxRows(values: Float32Array, width: number): number[] {
  return Array.from({ length: Math.floor(values.length / width) }, (_, row) => argmax(values, row * width, width));
}
