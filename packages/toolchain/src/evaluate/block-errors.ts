import type { Streams } from "./engine.ts";

/** How far the stream that a block hands on is from the other model's. */
export interface BlockError {
  readonly name: string;
  /** Root mean square of the difference, as a share of the other stream's. */
  readonly relative: number;
}

export function blockErrors(actual: Streams, base: Streams): readonly BlockError[] {
  return base.map(({ name, values }, i) => ({ name, relative: relativeError(actual[i]!.values, values) }));
}

function relativeError(actual: Float32Array, base: Float32Array): number {
  let squares = 0;
  let norm = 0;
  for (let i = 0; i < base.length; i++) {
    squares += (actual[i]! - base[i]!) ** 2;
    norm += base[i]! ** 2;
  }
  return norm === 0 ? (squares === 0 ? 0 : Number.POSITIVE_INFINITY) : Math.sqrt(squares / norm);
}
