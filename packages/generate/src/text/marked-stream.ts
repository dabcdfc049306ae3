import type { TextStream, TextTokenizer } from "./tokenizer.ts";

/** Decodes ids as they come, without control tokens but for those of these names: whoever reads the text goes by them. */
export function markedStream(tokenizer: TextTokenizer, markers: readonly string[]): TextStream {
  const isSpecial = (id: number): boolean => tokenizer.isSpecial?.(id) ?? false;
  const ids = new Set(markers.map((marker) => tokenizer.tokenToId?.(marker)));
  const kept = [...ids].filter((id) => id !== undefined && isSpecial(id));
  if (kept.length === 0) return tokenizer.stream({ skipSpecialTokens: true });
  const stream = tokenizer.stream({ skipSpecialTokens: false });
  return {
    push: (id) => (isSpecial(id) && !ids.has(id) ? "" : stream.push(id)),
    end: () => stream.end(),
  };
}
