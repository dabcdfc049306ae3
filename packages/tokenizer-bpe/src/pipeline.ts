import { type AddedToken, AddedTokenFinder } from "./added-tokens.ts";
import type { Model } from "./model/model.ts";
import { type Normalizer, normalize } from "./normalize/normalizer.ts";
import type { Cutter } from "./split/from-json.ts";
import { Aligned } from "./text/aligned.ts";
import { IntList } from "./text/int-list.ts";
import { borrowUnits } from "./text/units.ts";

export interface PipelineParts {
  readonly normalizers: readonly Normalizer[];
  readonly cutter: Cutter;
  readonly model: Model;
  readonly addedTokens: readonly AddedToken[];
  /** Tokens that are looked for in normalised text are already written the way they look there. */
  readonly verbatimTokens?: boolean;
}

/** Text to ids: added tokens, normalisation, pre-tokens, model. */
export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #raw: AddedTokenFinder;
  readonly #normalized: AddedTokenFinder;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#raw = new AddedTokenFinder(parts.addedTokens.filter((token) => !token.normalized));
    this.#normalized = new AddedTokenFinder(
      parts.addedTokens.filter((token) => token.normalized),
      (token) => (parts.verbatimTokens ? token.content : this.normalize(token.content)),
    );
  }

  normalize(text: string): string {
    return this.#parts.normalizers.reduce((done, step) => normalize(step, done), text);
  }

  /**
   * Appends the text's ids; with `offsets`, also where each came from. `continues` says that other text comes before it,
   * so that no space is put before its first word.
   */
  encode(given: string, parseSpecial: boolean, out: IntList, offsets?: IntList, continues = false): void {
    const text = given.toWellFormed(); // half a surrogate pair is no character, and has no UTF-8
    if (continues) {
      const steps = this.#parts.normalizers.filter((step) => step.prefixes !== true);
      const normal = steps.reduce((done, step) => normalize(step, done), text);
      if (normal !== "") this.#encodePiece(Aligned.of(normal, 1), out, offsets);
      return;
    }
    for (const { start, end, token } of this.#raw.split(text, parseSpecial)) {
      if (token !== undefined) {
        out.push(token.id);
        offsets?.push(start);
        offsets?.push(end);
      } else this.#encodePlain(this.#follow(text.slice(start, end), start, offsets), parseSpecial, out, offsets);
    }
  }

  #follow(text: string, base: number, offsets: IntList | undefined): Aligned {
    if (offsets === undefined && !this.#parts.cutter.asksForFirst) return Aligned.of(this.normalize(text), base);
    let aligned = Aligned.of(text, base);
    for (const step of this.#parts.normalizers) aligned = aligned.edit(step.edits(aligned.text));
    return aligned;
  }

  #encodePlain(normal: Aligned, parseSpecial: boolean, out: IntList, offsets: IntList | undefined): void {
    for (const { start, end, token } of this.#normalized.split(normal.text, parseSpecial)) {
      const piece = normal.slice(start, end);
      if (token === undefined) this.#encodePiece(piece, out, offsets);
      else {
        out.push(token.id);
        offsets?.push(piece.startOf(0));
        offsets?.push(piece.endOf(piece.text.length - 1));
      }
    }
  }

  #encodePiece(piece: Aligned, out: IntList, offsets: IntList | undefined): void {
    const { cutter, model } = this.#parts;
    let pieces = [piece];
    for (const stage of cutter.stages) pieces = pieces.flatMap((one) => stage(one).filter(({ text }) => text !== ""));
    const { scanner } = cutter;
    for (const one of pieces) {
      const source = borrowUnits(one.text);
      const end = one.text.length;
      const spans = offsets === undefined ? undefined : new IntList();
      if (scanner === undefined) model.encode(source, 0, end, out, spans);
      else {
        scanner.begin?.();
        for (let at = 0; at < end; ) {
          const next = scanner.next(source.units, at, end);
          model.encode(source, at, next, out, spans);
          at = next;
        }
      }
      if (spans !== undefined && offsets !== undefined) pushOffsets(one, spans, offsets);
    }
  }
}

function pushOffsets(piece: Aligned, spans: IntList, offsets: IntList): void {
  for (let i = 0; i < spans.length; i += 2) {
    offsets.push(piece.startOf(spans.values[i]));
    offsets.push(piece.endOf(spans.values[i + 1] - 1));
  }
}
