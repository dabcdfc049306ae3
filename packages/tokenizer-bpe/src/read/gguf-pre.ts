import { printable, TokenizerError } from "../error.ts";
import { GPT2_PATTERN } from "../split/gpt2-scanner.ts";

const split = (regex: string) => ({ type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false });
const bytes = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
const gpt2Cut = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
const folded = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const gpt4 = (digits: string) =>
  `${folded}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** How a model's text is cut, as its tokenizer.json would say it. */
export interface GgufPre {
  readonly steps: readonly object[];
  readonly normalizer?: object;
  readonly ignoreMerges?: boolean;
}

const gpt2: GgufPre = { steps: [gpt2Cut] };
const digitsApart: GgufPre = { steps: [{ type: "Digits", individual_digits: true }, gpt2Cut] };
const threeDigits: GgufPre = { steps: [split(gpt4("\\p{N}{1,3}")), bytes] };
const llama3: GgufPre = { ...threeDigits, ignoreMerges: true };
const oneDigit: GgufPre = { steps: [split(gpt4("\\p{N}")), bytes], normalizer: { type: "NFC" } };
const falcon: GgufPre = {
  steps: [
    { type: "Punctuation", behavior: "Contiguous" },
    split(GPT2_PATTERN),
    { type: "Digits", individual_digits: false },
    split("[0-9][0-9][0-9]"),
    bytes,
  ],
};
const deepseekCoder: GgufPre = {
  steps: [
    split("[\\r\\n]"),
    split("\\s?\\p{L}+"),
    split("\\s?\\p{P}+"),
    split("[一-龥ࠀ-一가-\ud7ff]+"),
    { type: "Digits", individual_digits: true },
    bytes,
  ],
};
const deepseekV3: GgufPre = {
  steps: [
    split("\\p{N}{1,3}"),
    split("[一-龥\u3040-ゟ゠-ヿ]+"),
    split(
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    ),
    bytes,
  ],
};

/** By the names that `tokenizer.ggml.pre` takes. */
const known: Readonly<Record<string, GgufPre>> = {
  default: gpt2,
  "gpt-2": gpt2,
  "phi-2": gpt2,
  olmo: gpt2,
  mpt: gpt2,
  "jina-es": gpt2,
  "jina-de": gpt2,
  jais: gpt2,
  starcoder: digitsApart,
  refact: digitsApart,
  "command-r": digitsApart,
  smollm: digitsApart,
  codeshell: digitsApart,
  exaone: digitsApart,
  "llama-bpe": llama3,
  llama3,
  "llama-v3": llama3,
  falcon3: llama3,
  "smaug-bpe": threeDigits,
  dbrx: threeDigits,
  "chatglm-bpe": threeDigits,
  glm4: threeDigits,
  qwen2: oneDigit,
  "deepseek-r1-qwen": oneDigit,
  stablelm2: oneDigit,
  falcon,
  "deepseek-coder": deepseekCoder,
  "deepseek-v3": deepseekV3,
};

export function ggufPre(name: string): GgufPre {
  if (Object.hasOwn(known, name)) return known[name];
  throw new TokenizerError("unsupported", `unknown tokenizer.ggml.pre ${printable(name)}`);
}
