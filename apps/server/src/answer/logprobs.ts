import type { GeneratedToken } from "@llm/generate";
import type { TokenLogprob } from "@llm/protocol";
import type { Tokenizer } from "@llm/tokenizer-bpe";

/** A token that is a mark of the byte order is one like any other. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Tokens with their log-probabilities, as the protocol writes them: half a character is shown as bytes. */
export function tokenLogprobs(tokenizer: Tokenizer, tokens: readonly GeneratedToken[]): TokenLogprob[] {
  const named = (id: number) => {
    const bytes = tokenizer.tokenBytes(id);
    return { token: decoder.decode(bytes), bytes: Array.from(bytes) };
  };
  return tokens.map(({ id, logprob, top = [] }) => ({
    ...named(id),
    logprob: logprob ?? null,
    top: top.map((each) => ({ ...named(each.id), logprob: each.logprob })),
  }));
}
