import type { Json } from "../json.ts";

const split = (regex: string, behavior = "Isolated"): Json => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior,
  invert: false,
});
const digits = (individual: boolean): Json => ({ type: "Digits", individual_digits: individual });
const punctuation: Json = { type: "Punctuation", behavior: "Contiguous" };
const byteLevel = (withRegex: boolean): Json => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: withRegex,
});
const sequence = (...pretokenizers: Json[]): Json => ({ type: "Sequence", pretokenizers });

/** Words, numbers of at most `digits` digits, punctuation, line breaks and spaces, as OpenAI's newer encodings cut. */
const words = (digits: string): string =>
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
  `\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const gpt2 = byteLevel(true);
const llama3 = sequence(split(words("{1,3}")), byteLevel(false));
const qwen = sequence(split(words("")), byteLevel(false));
const starcoder = sequence(digits(true), gpt2);

/** One way to cut text before merging, by the name that `tokenizer.ggml.pre` gives it. */
export interface PreTokenizer {
  readonly cut: Json;
  readonly normalizer?: Json;
  /** Whole words that are tokens are taken as such, whatever the merges say. */
  readonly ignoreMerges?: boolean;
}

const nfc: Json = { type: "NFC" };

export const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  default: { cut: gpt2 },
  "gpt-2": { cut: gpt2 },
  "phi-2": { cut: gpt2 },
  mpt: { cut: gpt2 },
  olmo: { cut: gpt2, normalizer: nfc },
  jais: { cut: gpt2 },
  exaone: { cut: gpt2 },
  "roberta-bpe": { cut: gpt2 },
  "llama-bpe": { cut: llama3, ignoreMerges: true },
  llama3: { cut: llama3, ignoreMerges: true },
  smaug: { cut: llama3 },
  dbrx: { cut: llama3 },
  "chatglm-bpe": { cut: llama3 },
  glm4: { cut: llama3 },
  qwen2: { cut: qwen, normalizer: nfc },
  stablelm2: { cut: qwen },
  exaone4: { cut: qwen, normalizer: nfc },
  starcoder: { cut: starcoder },
  refact: { cut: starcoder },
  codeshell: { cut: starcoder },
  smollm: { cut: starcoder },
  "command-r": { cut: starcoder, normalizer: nfc },
  falcon: {
    cut: sequence(punctuation, gpt2, digits(false), split("[0-9][0-9][0-9]")),
  },
};
