import { MergeTable } from "../model/merge-table.ts";
import { HASH_SEED, hashByte, type Vocab } from "../model/vocab.ts";

/**
 * Merges for vocabularies that only rank tokens (SentencePiece by score, tiktoken by id): any two neighbours merge whose
 * concatenation is a token, so each token stands for all the ways to cut it in two. `order` lists the tokens from the
 * first to merge to the last, `ranks` their ranks. A byte-level token's alphabet makes characters of bytes, so cutting between
 * characters cuts those between bytes.
 */
export function concatMerges(
  vocab: Vocab,
  order: Int32Array,
  ranks: Int32Array,
  usable: (id: number) => boolean,
): MergeTable {
  const table = new MergeTable(vocab.count * 2);
  for (let index = 0; index < order.length; index++) {
    const id = order[index];
    const rank = ranks[index];
    const token = vocab.utf8Of(id);
    if (token === undefined) continue;
    let hash = HASH_SEED; // of the left side, as it grows
    for (let at = 1; at < token.length; at++) {
      hash = hashByte(hash, token[at - 1]);
      if (!betweenChars(token, at)) continue;
      const left = vocab.find(token, 0, at, hash);
      if (left < 0 || !usable(left)) continue;
      const right = vocab.find(token, at, token.length);
      if (right >= 0 && usable(right)) table.set(left, right, rank, id);
    }
  }
  return table;
}

/** Between characters: not before a continuation byte. */
function betweenChars(token: Uint8Array, at: number): boolean {
  return (token[at] & 0xc0) !== 0x80;
}
