/** One token of a SentencePiece model. GGUF's token types are SentencePiece's own numbers. */
export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

export interface SentencePieceOptions {
  readonly model: "unigram" | "bpe";
  readonly byteFallback: boolean;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly charsMap: Uint8Array | undefined;
  readonly unk: number;
  readonly bos: number; // -1: none
  readonly eos: number;
  readonly pad: number;
}

/** Field numbers of sentencepiece_model.proto. */
const MODEL = { pieces: 1, trainer: 2, normalizer: 3 };
const PIECE = { text: 1, score: 2, type: 3 };
const TRAINER = { modelType: 3, vocabSize: 4, byteFallback: 35, unk: 40, bos: 41, eos: 42, pad: 43 };
const NORMALIZER = { name: 1, charsMap: 2, addDummyPrefix: 3, removeExtraWhitespaces: 4, escapeWhitespaces: 5 };

/** The `tokenizer.model` that a GGUF file's token list was made from: what Hugging Face publishes beside the weights. */
export function sentencePieceModel(pieces: readonly Piece[], options: SentencePieceOptions): Uint8Array<ArrayBuffer> {
  const out: Buffer[] = [];
  for (const { text, score, type } of pieces)
    out.push(
      message(MODEL.pieces, [
        bytes(PIECE.text, Buffer.from(text)),
        float(PIECE.score, score),
        varint(PIECE.type, type),
      ]),
    );
  out.push(
    message(MODEL.trainer, [
      varint(TRAINER.modelType, options.model === "unigram" ? 1 : 2),
      varint(TRAINER.vocabSize, pieces.length),
      varint(TRAINER.byteFallback, Number(options.byteFallback)),
      varint(TRAINER.unk, options.unk),
      varint(TRAINER.bos, options.bos),
      varint(TRAINER.eos, options.eos),
      varint(TRAINER.pad, options.pad),
    ]),
    message(MODEL.normalizer, [
      bytes(NORMALIZER.name, Buffer.from(options.charsMap ? "nmt_nfkc" : "identity")),
      ...(options.charsMap ? [bytes(NORMALIZER.charsMap, Buffer.from(options.charsMap))] : []),
      varint(NORMALIZER.addDummyPrefix, Number(options.addDummyPrefix)),
      varint(NORMALIZER.removeExtraWhitespaces, Number(options.removeExtraWhitespaces)),
      varint(NORMALIZER.escapeWhitespaces, 1),
    ]),
  );
  return new Uint8Array(Buffer.concat(out));
}

function message(field: number, parts: readonly Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts));
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([raw(BigInt((field << 3) | 2)), raw(BigInt(content.length)), content]);
}

function float(field: number, value: number): Buffer {
  const content = Buffer.alloc(4);
  content.writeFloatLE(value);
  return Buffer.concat([raw(BigInt((field << 3) | 5)), content]);
}

function varint(field: number, value: number): Buffer {
  return Buffer.concat([raw(BigInt(field << 3)), raw(BigInt.asUintN(64, BigInt(value)))]); // negative ones take ten bytes
}

function raw(value: bigint): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  return Buffer.from(out);
}
