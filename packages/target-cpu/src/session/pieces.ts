import type { Row, RowResult } from "@llm/target";

/** Scores of heads, queries and keys that there are at once: 256 MB of them. */
const MOST_SCORES = 2 ** 26;
/** Fewer tokens would not be worth reading the weights for. */
const LEAST_TOKENS = 32;
/** Hardly any model has narrower heads, and so more of them. */
const HEAD_WIDTH = 64;

/** How many tokens of a row go through a model of this width at once, where the row ends after `total` tokens. */
export function tokensAtOnce(width: number, total: number): number {
  return Math.max(LEAST_TOKENS, Math.floor(MOST_SCORES / (headsOf(width) * total)));
}

/** The most tokens after which a row of so many still goes through at once. */
export function wholeUpTo(width: number, tokens: number): number {
  return Math.floor(MOST_SCORES / (headsOf(width) * tokens));
}

function headsOf(width: number): number {
  return Math.ceil(width / HEAD_WIDTH);
}

/** A step's rows, those with a long history in pieces, and how results of the pieces become the rows'. */
export interface Pieces {
  readonly rows: readonly Row[];
  join(results: readonly RowResult[]): readonly RowResult[];
}

/**
 * Attention keeps scores of all of a call's tokens with all before them. So rows deep in a long context are cut: what they take
 * is bounded, and short ones still go through in one. Pieces are of equal size, so that none is left with a single token.
 */
export function inPieces(rows: readonly Row[], atOnce: (total: number) => number): Pieces {
  const cut = rows.map((row) => piecesOf(row, atOnce(row.at + row.tokens.length)));
  return {
    rows: cut.flat(),
    join(results) {
      let from = 0;
      return cut.map(({ length }) => joined(results.slice(from, (from += length))));
    },
  };
}

function piecesOf(row: Row, most: number): readonly Row[] {
  const { at, tokens, want } = row;
  const { length } = tokens;
  if (length <= most) return [row];
  const count = Math.ceil(length / most);
  const reach = row.reach ?? at + length;
  return Array.from({ length: count }, (_, i): Row => {
    const [from, to] = [Math.floor((i * length) / count), Math.floor(((i + 1) * length) / count)];
    const { want: _want, ...rest } = row;
    const last = want ? to - Math.max(from, length - want.last) : 0;
    const piece = { ...rest, at: at + from, tokens: tokens.subarray(from, to), reach };
    return want && last > 0 ? { ...piece, want: { ...want, last } } : piece;
  });
}

/** One result of those for a row's pieces in turn: mostly, only the last has any. */
function joined(results: readonly RowResult[]): RowResult {
  const told = results.filter((result) => Object.keys(result).length > 0);
  const [first] = told;
  if (first === undefined || told.length === 1) return first ?? {};
  const floats = (of: (result: RowResult) => Float32Array) => together(told.map(of), Float32Array);
  const ints = (of: (result: RowResult) => Int32Array) => together(told.map(of), Int32Array);
  if (first.logits) return { logits: floats(({ logits }) => logits!) };
  if (first.hidden) return { hidden: floats(({ hidden }) => hidden!) };
  if (first.tokens) return { tokens: ints(({ tokens }) => tokens!) };
  return {
    top: {
      ids: ints(({ top }) => top!.ids),
      logits: floats(({ top }) => top!.logits),
      logSumExp: floats(({ top }) => top!.logSumExp),
    },
  };
}

/** Numbers one after another; where they lie so already, no copy: of a long prompt's logits there may be half a gigabyte. */
function together<T extends Float32Array | Int32Array>(
  parts: readonly T[],
  Numbers: new (given: number | ArrayBufferLike, at?: number, length?: number) => T,
): T {
  const [first] = parts;
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  let end = first!.byteOffset;
  const adjacent = parts.every(({ buffer, byteOffset, byteLength }) => {
    const follows = buffer === first!.buffer && byteOffset === end;
    end += byteLength;
    return follows;
  });
  if (adjacent) return new Numbers(first!.buffer, first!.byteOffset, size);
  const all = new Numbers(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
