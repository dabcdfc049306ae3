import { type Aligned, prefixEdit } from "../text/aligned.ts";
import { type Finder, findString } from "../text/pattern.ts";
import { type Behaviour, cut, stretches } from "./cut.ts";

/** One step of cutting text into pre-tokens; it may also rewrite what it cuts. */
export type Stage = (piece: Aligned) => Aligned[];

/** Cuts where a pattern matches. */
export function splitAt(find: Finder, behaviour: Behaviour, invert = false): Stage {
  return (piece) =>
    cut(stretches(piece.text.length, find(piece.text)), behaviour, invert).map((one) =>
      piece.slice(one.start, one.end),
    );
}

/** A space before text that begins without one. */
export const prefixSpace: Stage = (piece) =>
  piece.text.startsWith(" ") ? [piece] : [piece.edit([prefixEdit(piece.text, " ")])];

export interface MetaspaceOptions {
  readonly replacement: string;
  readonly prepend: "always" | "first" | "never";
  readonly split: boolean;
}

/** SentencePiece's way with spaces: they become a visible mark, which also goes before the first word. */
export function metaspace({ replacement, prepend, split }: MetaspaceOptions): Stage {
  const separate = splitAt(findString(replacement), "MergedWithNext");
  return (piece) => {
    const { text, first } = piece;
    let marked = piece.edit(spaceEdits(text, replacement));
    const wanted = prepend === "always" || (prepend === "first" && first);
    if (wanted && !marked.text.startsWith(replacement)) marked = marked.edit([prefixEdit(marked.text, replacement)]);
    return split ? separate(marked) : [marked];
  };
}

function spaceEdits(text: string, replacement: string) {
  const edits = [];
  for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1))
    edits.push({ start: at, end: at + 1, text: replacement });
  return edits;
}
