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

/** Words by case as well, as in OpenAI's newest encoding; `digits` and `contraction` are where its two users differ. */
const cased = (digits: string, contraction: string): string => {
  const [upper, lower] = ["[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"];
  const word = (first: string, second: string) =>
    `[^\\r\\n\\p{L}\\p{N}]?${upper}${first}${lower}${second}${contraction}`;
  return `${word("*", "+")}|${word("+", "*")}|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
};

/** By name, with the models' own names for the same. */
export const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  ...named({ cut: gpt2 }, "default", "gpt-2", "phi-2", "mpt", "jais", "jina-es", "jina-de", "roberta-bpe"),
  ...named({ cut: gpt2, normalizer: nfc }, "olmo"),
  ...named({ cut: llama3, ignoreMerges: true }, "llama-bpe", "llama3", "llama-v3", "falcon3"),
  ...named({ cut: llama3 }, "smaug-bpe", "dbrx", "chatglm-bpe", "glm4"),
  ...named({ cut: qwen, normalizer: nfc }, "qwen2", "deepseek-r1-qwen", "exaone4"),
  ...named({ cut: qwen }, "stablelm2"),
  ...named({ cut: starcoder }, "starcoder", "refact", "codeshell", "smollm", "exaone"),
  ...named({ cut: starcoder, normalizer: nfc }, "command-r"),
  ...named({ cut: sequence(split(cased("", "")), byteLevel(false)), ignoreMerges: true }, "tekken"),
  ...named({ cut: sequence(split(cased("{1,3}", "(?i:'s|'t|'re|'ve|'m|'ll|'d)?")), byteLevel(false)) }, "gpt-4o"),
  ...named({ cut: sequence(punctuation, gpt2, digits(false), split("[0-9][0-9][0-9]")) }, "falcon"),
};

function named(pre: PreTokenizer, ...names: string[]): Record<string, PreTokenizer> {
  return Object.fromEntries(names.map((name) => [name, pre]));
}
