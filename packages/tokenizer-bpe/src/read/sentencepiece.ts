import type { AddedToken } from "../added-tokens.ts";
import { sentencePieceDecoder } from "../decode/sentencepiece.ts";
import { BpeModel } from "../model/bpe.ts";
import type { Model } from "../model/model.ts";
import { UnigramModel } from "../model/unigram.ts";
import { Vocab } from "../model/vocab.ts";
import { Charsmap } from "../normalize/charsmap.ts";
import type { Normalizer } from "../normalize/normalizer.ts";
import { dummyPrefix, dummySuffix, sentencePieceNormalizer } from "../normalize/sentencepiece.ts";
import type { Stage } from "../split/stage.ts";
import { prefixEdit } from "../text/aligned.ts";
import { concatMerges } from "./concat-merges.ts";
import { PieceType, type SentencePieceSpec } from "./sentencepiece-proto.ts";
import type { ReadTokenizer } from "./tokenizer-json.ts";

export interface SentencePieceOptions {
  readonly addBos: boolean;
  readonly addEos: boolean;
  /**
   * Text after a control token also gets a space before its first word: what Llama's tokenizer first did (`legacy`), and
   * what most of the models that were trained with it expect.
   */
  readonly prefixEachPart: boolean;
}

/** A tokenizer that does what the SentencePiece library does with this model. */
export function sentencePieceTokenizer(spec: SentencePieceSpec, options: SentencePieceOptions): ReadTokenizer {
  const { pieces } = spec;
  const vocab = Vocab.fromTokens(pieces.map((piece) => piece.text));
  const mark = spec.escapeSpaces ? "▁" : " ";
  const stages: Stage[] = [];
  const normalizers: Normalizer[] = [
    sentencePieceNormalizer({
      charsmap: spec.charsmap === undefined ? undefined : new Charsmap(spec.charsmap),
      removeExtraSpaces: spec.removeExtraSpaces,
      escapeSpaces: spec.escapeSpaces,
      symbolAt: symbolFinder(spec),
    }),
  ];
  if (spec.addDummyPrefix && spec.spaceAsSuffix) normalizers.push(dummySuffix(mark));
  else if (spec.addDummyPrefix && options.prefixEachPart) normalizers.push(dummyPrefix(mark));
  else if (spec.addDummyPrefix)
    stages.push((piece) => [piece.first ? piece.edit([prefixEdit(piece.text, mark)]) : piece]);
  return {
    normalizers,
    cutter: { stages, scanner: undefined, byteLevel: false },
    model: spec.kind === "bpe" ? bpeModel(spec, vocab) : unigramModel(spec, vocab),
    addedTokens: addedTokens(spec),
    verbatimTokens: true,
    post: {
      before: options.addBos && spec.bosId >= 0 ? [spec.bosId] : [],
      after: options.addEos && spec.eosId >= 0 ? [spec.eosId] : [],
      trims: [],
    },
    decoder: sentencePieceDecoder({
      unknown: pieces[spec.unknownId].text,
      unknownSurface: spec.unknownSurface,
      addDummyPrefix: spec.addDummyPrefix,
      removeExtraSpaces: spec.removeExtraSpaces,
    }),
  };
}

function bpeModel(spec: SentencePieceSpec, vocab: Vocab): Model {
  const { pieces } = spec;
  const usable = (id: number) => pieces[id].type === PieceType.normal || pieces[id].type === PieceType.userDefined;
  const order = Int32Array.from(Array.from(pieces.keys()).filter(usable));
  order.sort((a, b) => pieces[b].score - pieces[a].score || a - b);
  // Equal scores are equal ranks: of those the leftmost pair merges first.
  const ranks = new Int32Array(order.length);
  for (let i = 1; i < order.length; i++)
    ranks[i] = pieces[order[i]].score === pieces[order[i - 1]].score ? ranks[i - 1] : i;
  return new BpeModel({
    vocab,
    merges: concatMerges(vocab, order, ranks, usable),
    byteLevel: false,
    byteFallback: spec.byteFallback,
    unknown: pieces[spec.unknownId].text,
    fuseUnknown: true,
  });
}

function unigramModel(spec: SentencePieceSpec, vocab: Vocab): Model {
  const { pieces } = spec;
  return new UnigramModel({
    vocab,
    scores: Float64Array.from(pieces, (piece) => piece.score),
    unknownId: spec.unknownId,
    byteFallback: spec.byteFallback,
    singlePrecision: true,
    usable: (id) => pieces[id].type === PieceType.normal || pieces[id].type === PieceType.userDefined,
    preferred: (id) => pieces[id].type === PieceType.userDefined,
  });
}

/**
 * Control pieces are never made from text by SentencePiece itself; here they are, unless `parseSpecial` is off. In BPE
 * models user-defined symbols are cut out before anything merges.
 */
function addedTokens(spec: SentencePieceSpec): AddedToken[] {
  return spec.pieces.flatMap(({ text, type }, id) => {
    const special = type === PieceType.control;
    const symbol = spec.kind === "bpe" && type === PieceType.userDefined;
    if (!special && !symbol) return [];
    return [{ id, content: text, special, normalized: symbol, singleWord: false, lstrip: false, rstrip: false }];
  });
}

/** Finds the longest user-defined symbol at a position. */
function symbolFinder(spec: SentencePieceSpec): (text: string, at: number) => string | undefined {
  const byFirst = new Map<string, string[]>();
  for (const { text, type } of spec.pieces) {
    if (type !== PieceType.userDefined || text === "") continue;
    const list = byFirst.get(text[0]);
    if (list === undefined) byFirst.set(text[0], [text]);
    else list.push(text);
  }
  for (const list of byFirst.values()) list.sort((a, b) => b.length - a.length);
  return (text, at) => byFirst.get(text[at])?.find((symbol) => text.startsWith(symbol, at));
}
