import type { Piece } from "./documents.ts";

/** Tokens that a model sees at once, and which of them it is asked about. */
export interface Window {
  readonly ids: Int32Array;
  /** The first that is predicted, from those before it; at least 1. */
  readonly from: number;
  /** How many bytes of the file have been read by now. */
  readonly bytes: number;
}

export interface WindowOptions {
  readonly context: number;
  /** How far windows are apart; tokens that an earlier one predicted are only context. */
  readonly stride: number;
}

/**
 * Cuts texts into windows, the way the documentation of transformers does for models of fixed length: a window begins every
 * `stride` tokens and is up to `context` long, each token is predicted once, in the first window that can. Holds a window and
 * a piece, however long the text.
 */
export async function* windowsOf(pieces: AsyncIterable<Piece>, options: WindowOptions): AsyncGenerator<Window> {
  const { context, stride } = options;
  let held: number[] = [];
  let predicted = 1; // the first token of a text has nothing before it
  let bytes = 0;
  function* cut(isLast: boolean): Generator<Window> {
    while (held.length >= context || (isLast && held.length > predicted)) {
      const end = Math.min(context, held.length);
      if (end > predicted) yield { ids: Int32Array.from(held.slice(0, end)), from: predicted, bytes };
      if (isLast && end === held.length) break;
      held = held.slice(stride);
      // A window predicts nothing from no context, not even where windows don't overlap.
      predicted = Math.max(1, end - stride);
    }
  }
  for await (const piece of pieces) {
    if (piece.starts) {
      yield* cut(true);
      held = [];
      predicted = 1;
    }
    bytes = piece.bytes;
    for (const id of piece.ids) held.push(id);
    yield* cut(false);
  }
  yield* cut(true);
}
