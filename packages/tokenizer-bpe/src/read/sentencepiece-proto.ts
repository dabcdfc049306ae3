import { invalid, TokenizerError } from "../error.ts";
import { MAX_TOKEN_ID } from "../limits.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { fieldsOf, floatOf } from "./protobuf.ts";

/** What a piece is for. The numbers are SentencePiece's, and GGUF's too. */
export const PieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

/** What a SentencePiece model says, whatever file it came in. */
export interface SentencePieceSpec {
  readonly pieces: readonly Piece[];
  readonly kind: "unigram" | "bpe";
  readonly byteFallback: boolean;
  readonly spaceAsSuffix: boolean;
  readonly unknownId: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly padId: number;
  /** How an unknown token is written in decoded text. */
  readonly unknownSurface: string;
  readonly charsmap: Uint8Array | undefined;
  readonly addDummyPrefix: boolean;
  readonly removeExtraSpaces: boolean;
  readonly escapeSpaces: boolean;
}

/** Reads a `tokenizer.model`. */
export function readSentencePieceProto(bytes: Uint8Array): SentencePieceSpec {
  const pieces: Piece[] = [];
  let trainer: Uint8Array = new Uint8Array(0);
  let normalizer: Uint8Array = new Uint8Array(0);
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) {
      if (pieces.length > MAX_TOKEN_ID)
        throw new TokenizerError("limit-exceeded", `has more than ${MAX_TOKEN_ID} pieces`);
      pieces.push(readPiece(field.bytes));
    } else if (field.number === 2) trainer = field.bytes;
    else if (field.number === 3) normalizer = field.bytes;
  }
  if (pieces.length === 0) throw invalid("has no pieces: not a SentencePiece model");
  return { pieces, ...readTrainer(trainer, pieces), ...readNormalizer(normalizer) };
}

function readPiece(bytes: Uint8Array): Piece {
  let text = "";
  let score = 0;
  let type: number = PieceType.normal;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) text = decodeUtf8(field.bytes);
    else if (field.number === 2) score = floatOf(field);
    else if (field.number === 3) type = field.value;
  }
  return { text, score, type };
}

const kinds: Readonly<Record<number, "unigram" | "bpe">> = { 1: "unigram", 2: "bpe" };

function readTrainer(bytes: Uint8Array, pieces: readonly Piece[]) {
  const fields = new Map<number, number>();
  let unknownSurface = " \u2047 ";
  for (const field of fieldsOf(bytes)) {
    if (field.number === 44) unknownSurface = decodeUtf8(field.bytes);
    else fields.set(field.number, field.value);
  }
  const model = fields.get(3) ?? 1;
  const kind = kinds[model];
  if (kind === undefined)
    throw new TokenizerError("unsupported", `a SentencePiece model of type ${model} (word or character)`);
  const unknownId = pieces.findIndex((piece) => piece.type === PieceType.unknown);
  if (unknownId < 0) throw invalid("has no unknown piece");
  return {
    kind,
    unknownId,
    unknownSurface,
    byteFallback: fields.get(35) === 1,
    spaceAsSuffix: fields.get(24) === 1,
    bosId: idOr(fields.get(41), 1, pieces),
    eosId: idOr(fields.get(42), 2, pieces),
    padId: idOr(fields.get(43), -1, pieces),
  };
}

/** An id; −1 (written as a 64-bit number) means none. */
function idOr(value: number | undefined, fallback: number, pieces: readonly Piece[]): number {
  const id = value ?? fallback;
  return id >= 0 && id < pieces.length && pieces[id].type === PieceType.control ? id : -1;
}

function readNormalizer(bytes: Uint8Array) {
  let charsmap: Uint8Array | undefined;
  const flags = new Map<number, boolean>();
  for (const field of fieldsOf(bytes)) {
    if (field.number === 2) charsmap = field.bytes.length > 0 ? field.bytes : undefined;
    else flags.set(field.number, field.value !== 0);
  }
  return {
    charsmap,
    addDummyPrefix: flags.get(3) ?? true,
    removeExtraSpaces: flags.get(4) ?? true,
    escapeSpaces: flags.get(5) ?? true,
  };
}
