import type { Edit } from "../text/aligned.ts";

/** Rewrites text before it is cut. */
export interface Normalizer {
  /** What changes, in order and without overlap: what offsets are followed through. */
  edits(text: string): Edit[];
  /** The same in one go, where the platform has a faster way. */
  apply?(text: string): string;
  /** It only puts something before the text. */
  readonly prefixes?: boolean;
}

export function normalize(normalizer: Normalizer, text: string): string {
  if (normalizer.apply !== undefined) return normalizer.apply(text);
  let out = "";
  let from = 0;
  for (const edit of normalizer.edits(text)) {
    out += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return from === 0 && out === "" ? text : out + text.slice(from);
}
