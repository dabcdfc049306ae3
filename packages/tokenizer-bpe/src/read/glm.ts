import { readAddedToken } from "../added-tokens.ts";
import type { TiktokenEncoding } from "./tiktoken.ts";
import { LLAMA3_PATTERN, numbered } from "./tiktoken-encodings.ts";
import type { ReadTokenizer } from "./tokenizer-json.ts";

// What the GLM models' own tokenizer classes have in their code, and no file says.

const MASKS = ["[MASK]", "[gMASK]", "[sMASK]"];
const ROLES = ["<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"];

/**
 * ChatGLM 2 and 3: their control tokens come after SentencePiece's vocabulary, and every text begins with two of them. The second
 * model has none for the roles of a conversation.
 */
export function chatGlm(read: ReadTokenizer, roles: boolean): ReadTokenizer {
  const ids = numbered([...MASKS, "sop", "eop", ...(roles ? ROLES : [])], read.model.vocab.size);
  // Two are letters alone, which words have inside them.
  const addedTokens = Object.entries(ids).map(([content, id]) =>
    readAddedToken({ content, special: true, single_word: /^\w+$/.test(content) }, id),
  );
  return {
    ...read,
    addedTokens: [...read.addedTokens, ...addedTokens],
    post: { ...read.post, before: [ids["[gMASK]"], ids.sop], after: [] },
  };
}

/** GLM-4's first form: a rank file by the name of SentencePiece's. Its control tokens come after the ranks. */
export function glm4Encoding(ranks: number): TiktokenEncoding {
  const media = ["<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"];
  const names = ["<|endoftext|>", ...MASKS, "<sop>", "<eop>", ...ROLES, ...media];
  const specialTokens = numbered(names, ranks);
  return {
    pattern: LLAMA3_PATTERN,
    specialTokens,
    before: [specialTokens["[gMASK]"], specialTokens["<sop>"]],
  };
}
