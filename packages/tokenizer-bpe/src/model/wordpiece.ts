import type { IntList } from "../text/int-list.ts";
import type { Units } from "../text/units.ts";
import type { Model } from "./model.ts";
import type { Vocab } from "./vocab.ts";

export interface WordPieceOptions {
  readonly vocab: Vocab;
  readonly unknown: string;
  readonly continuingPrefix: string;
  /** Longer words are unknown as a whole. */
  readonly maxChars: number;
}

/** BERT's splitting of a word: always the longest token that fits, or the unknown token for the whole word. */
export class WordPieceModel implements Model {
  readonly vocab: Vocab;
  readonly #options: WordPieceOptions;
  readonly #unknownId: number;

  constructor(options: WordPieceOptions) {
    this.vocab = options.vocab;
    this.#options = options;
    this.#unknownId = options.vocab.idOf(options.unknown);
  }

  encode(source: Units, start: number, end: number, out: IntList, spans?: IntList): void {
    const chars = Array.from(source.text.slice(start, end));
    const before = out.length;
    const spansBefore = spans?.length ?? 0;
    let from = 0;
    let at = start;
    while (from < chars.length && chars.length <= this.#options.maxChars) {
      const prefix = from === 0 ? "" : this.#options.continuingPrefix;
      let to = chars.length;
      let id = -1;
      for (; to > from; to--) {
        id = this.vocab.idOf(prefix + chars.slice(from, to).join(""));
        if (id >= 0) break;
      }
      if (id < 0) break;
      const width = chars.slice(from, to).join("").length;
      out.push(id);
      spans?.push(at);
      spans?.push(at + width);
      at += width;
      from = to;
    }
    if (from === chars.length) return;
    out.length = before;
    if (spans !== undefined) spans.length = spansBefore;
    if (this.#unknownId < 0) return;
    out.push(this.#unknownId);
    spans?.push(start);
    spans?.push(end);
  }
}
