import type { Row } from "../session.ts";
import { ABSENT, type FixedCall, type FixedOutput, type FixedShapes } from "./fixed-shapes.ts";

/** A run of one row's tokens that goes into one lane. */
interface Piece {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Calls of compiled shapes that together do what the rows ask, in order. A row that fits a decode lane goes into the one
 * decode call; a longer one is prefilled in chunks first. A prefill gives the result of its last token only, so a row that
 * asks about several gets those by decode calls.
 */
export function fit(rows: readonly Row[], shapes: FixedShapes): readonly FixedCall[] {
  const prefills: Piece[][] = []; // by row, in order
  const decodes: Piece[][] = [];
  rows.forEach((row, i) => {
    const count = row.tokens.length;
    const last = row.want?.last ?? 0;
    const decoded = count <= shapes.decode ? count : last > 1 ? last : 0;
    prefills.push(cut(i, 0, count - decoded, shapes.prefill));
    decodes.push(cut(i, count - decoded, count, shapes.decode));
  });
  return [...prefillCalls(rows, prefills, shapes), ...decodeCalls(rows, decodes, shapes)];
}

function cut(row: number, from: number, to: number, width: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = from; at < to; at += width) pieces.push({ row, from: at, to: Math.min(at + width, to) });
  return pieces;
}

function prefillCalls(rows: readonly Row[], pieces: readonly Piece[][], shapes: FixedShapes): FixedCall[] {
  if (shapes.batchIndex)
    return pieces.flat().map((piece) => call("prefill", rows, [piece], [rows[piece.row]!.slot], shapes.prefill));
  return inTurns(pieces).map((turn) =>
    call("prefill", rows, bySlot(rows, turn, shapes), identity(shapes.slots), shapes.prefill),
  );
}

function decodeCalls(rows: readonly Row[], pieces: readonly Piece[][], shapes: FixedShapes): FixedCall[] {
  return inTurns(pieces).map((turn) =>
    call("decode", rows, bySlot(rows, turn, shapes), identity(shapes.slots), shapes.decode),
  );
}

/** First pieces of all rows together, then second ones, and so on. */
function inTurns(pieces: readonly Piece[][]): Piece[][] {
  const turns: Piece[][] = [];
  for (const ofRow of pieces) ofRow.forEach((piece, turn) => void (turns[turn] ??= []).push(piece));
  return turns;
}

function bySlot(rows: readonly Row[], turn: readonly Piece[], { slots }: FixedShapes): (Piece | undefined)[] {
  const lanes: (Piece | undefined)[] = Array.from({ length: slots });
  for (const piece of turn) lanes[rows[piece.row]!.slot] = piece;
  return lanes;
}

function identity(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function call(
  kind: FixedCall["kind"],
  rows: readonly Row[],
  lanes: readonly (Piece | undefined)[],
  slots: readonly number[],
  width: number,
): FixedCall {
  const ids = new Int32Array(lanes.length * width);
  const positions = new Int32Array(lanes.length * width).fill(ABSENT);
  const from = new Int32Array(lanes.length).fill(ABSENT);
  const outputs: FixedOutput[] = [];
  lanes.forEach((piece, lane) => {
    if (!piece) return;
    const { at, tokens, want } = rows[piece.row]!;
    from[lane] = piece.row;
    const firstWanted = tokens.length - (want?.last ?? 0);
    for (let t = piece.from; t < piece.to; t++) {
      const column = t - piece.from;
      ids[lane * width + column] = tokens[t]!;
      positions[lane * width + column] = at + t;
      if (t >= firstWanted) outputs.push({ row: piece.row, index: t - firstWanted, lane, column });
    }
  });
  return { kind, lanes: lanes.length, width, ids, positions, slots: Int32Array.from(slots), rows: from, outputs };
}
