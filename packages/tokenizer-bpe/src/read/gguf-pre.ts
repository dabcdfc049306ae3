/** JSON as tokenizer.json has it. */
export type PreJson = string | boolean | readonly PreJson[] | { readonly [key: string]: PreJson };

const split = (regex: string, behavior = "Isolated"): PreJson => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior,
  invert: false,
});
const digits = (individual: boolean): PreJson => ({ type: "Digits", individual_digits: individual });
const punctuation: PreJson = { type: "Punctuation", behavior: "Contiguous" };
const byteLevel = (withRegex: boolean): PreJson => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: withRegex,
});
const sequence = (...pretokenizers: PreJson[]): PreJson => ({ type: "Sequence", pretokenizers });

/** Words, numbers of at most `digits` digits, punctuation, line breaks and spaces, as OpenAI's newer encodings cut. */
const words = (digits: string): string =>
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
  `\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const gpt2 = byteLevel(true);
const llama3 = sequence(split(words("{1,3}")), byteLevel(false));
const qwen = sequence(split(words("")), byteLevel(false));
const starcoder = sequence(digits(true), gpt2);

/** One way to cut text before merging, as tokenizer.json's `pre_tokenizer` says it. */
export interface PreTokenizer {
  readonly cut: PreJson;
  readonly normalizer?: PreJson;
  /** Whole words that are tokens are taken as such, whatever the merges say. */
  readonly ignoreMerges?: boolean;
  /** Texts begin with the model's first token where a file doesn't say: converters leave it out where the original did. */
  readonly addBos?: boolean;
}

const nfc: PreJson = { type: "NFC" };

const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";

/** Words by case as well, as in OpenAI's newest encoding; `digits` and `contraction` are where its two users differ. */
const cased = (digits: string, contraction: string): string => {
  const [upper, lower] = ["[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"];
  const word = (first: string, second: string) =>
    `[^\\r\\n\\p{L}\\p{N}]?${upper}${first}${lower}${second}${contraction}`;
  return `${word("*", "+")}|${word("+", "*")}|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
};

/**
 * Scripts with case, without what is not a letter of a word: DeepSeek LLM's own list. Characters that Unicode's normal form replaces
 * by others stand as numbers, lest an editor does that.
 */
const CASED =
  "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥ" +
  "ῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃";
const YOUTU =
  "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，\u3001-\u303f\ufe30-\ufe4f]+|[ㄅ-ㄯ]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
const EAST_ASIAN = "[一-龥ࠀ-一가-\ud7ff]+";

const deepseekLlm = sequence(
  split("[\r\n]"),
  split(`\\s?[${CASED}]+`),
  split("\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+"),
  split("\\s+$"),
  split(EAST_ASIAN),
  digits(true),
  byteLevel(false),
);
const deepseekCoder = sequence(
  split("[\r\n]"),
  split("\\s?\\p{L}+"),
  split("\\s?\\p{P}+"),
  split(EAST_ASIAN),
  digits(true),
  byteLevel(false),
);
const deepseek3 = sequence(
  split("\\p{N}{1,3}"),
  split("[一-龥\u3040-ゟ゠-ヿ]+"),
  split(
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|" +
      " ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ),
  byteLevel(false),
);
/** Runs of Chinese characters by themselves, then as OpenAI's newest encoding, without them. */
const kimi = (() => {
  const han = (classes: string) => `[${classes}&&[^\\p{Han}]]`;
  const [upper, lower] = [han("\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"), han("\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}")];
  const word = (first: string, second: string) =>
    `[^\\r\\n\\p{L}\\p{N}]?${upper}${first}${lower}${second}${CONTRACTION}`;
  return sequence(
    split(
      `[\\p{Han}]+|${word("*", "+")}|${word("+", "*")}|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ),
    byteLevel(false),
  );
})();
const gpt4o = sequence(split(cased("{1,3}", CONTRACTION)), byteLevel(false));
const bloom = split(" ?[^(\\s|.,!?…。，、।۔،)]+");

/** By the name that `tokenizer.ggml.pre` gives it, with the models' own names for the same. */
export const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  ...named(
    { cut: gpt2 },
    "default",
    "gpt-2",
    "phi-2",
    "mpt",
    "jais",
    "a.x-4.0",
    "gigachat",
    "mellum",
    "jina-es",
    "jina-de",
    "roberta-bpe",
    "trillion",
    "granite-docling",
  ),
  ...named({ cut: gpt2, normalizer: nfc }, "olmo"),
  ...named(
    { cut: llama3, ignoreMerges: true, addBos: true },
    "llama-bpe",
    "llama3",
    "llama-v3",
    "falcon3",
    "pixtral",
    "midm-2.0",
  ),
  ...named({ cut: llama3 }, "smaug-bpe", "dbrx", "chatglm-bpe", "glm4"),
  ...named({ cut: qwen, normalizer: nfc }, "qwen2", "deepseek-r1-qwen", "exaone4", "kormo", "megrez"),
  ...named({ cut: qwen }, "stablelm2"),
  ...named({ cut: starcoder }, "starcoder", "refact", "codeshell", "smollm", "exaone", "minerva-7b"),
  ...named({ cut: starcoder, normalizer: nfc }, "command-r"),
  ...named({ cut: sequence(split(cased("", "")), byteLevel(false)), ignoreMerges: true, addBos: true }, "tekken"),
  ...named({ cut: gpt4o }, "gpt-4o", "llama4", "kanana2"),
  ...named({ cut: kimi }, "kimi-k2"),
  // Digits in threes from the right.
  ...named({ cut: sequence(split("\\d{1,3}(?=(?:\\d{3})*\\b)"), gpt4o) }, "tiny_aya"),
  ...named({ cut: sequence(split("\\p{N}+"), split("(?=(\\d{3})+(?!\\d))"), byteLevel(false)) }, "superbpe"),
  ...named(
    { cut: sequence(split(words("{1}").replace("p{N}]+[\\r\\n]*", "p{N}\\r\\n]+")), byteLevel(false)) },
    "seed-coder",
  ),
  ...named(
    { cut: sequence(split("\\p{N}{1,3}"), split(words("+")), byteLevel(false)), ignoreMerges: true },
    "minicpm5",
  ),
  ...named(
    { cut: sequence(split(YOUTU), split(cased("", CONTRACTION)), byteLevel(false)), ignoreMerges: true },
    "youtu",
  ),
  ...named({ cut: sequence(punctuation, gpt2, digits(false), split("[0-9][0-9][0-9]")) }, "falcon"),
  ...named({ cut: deepseekLlm }, "deepseek-llm"),
  ...named({ cut: deepseekCoder }, "deepseek-coder"),
  ...named({ cut: deepseek3 }, "deepseek-v3", "hunyuan-dense", "joyai-llm"),
  ...named({ cut: sequence(bloom, byteLevel(false)) }, "bloom", "poro-chat", "gpt3-finnish"),
  ...named({ cut: sequence(bloom, digits(true), byteLevel(false)) }, "viking"),
};

/**
 * What files from before April 2024, which don't name their way to cut text, are cut by: what their architecture's models have.
 * Those that share an architecture are told apart by their control tokens.
 */
const UNNAMED: Readonly<Record<string, (has: (token: string) => boolean) => string>> = {
  bloom: () => "bloom",
  chatglm: () => "chatglm-bpe",
  "command-r": () => "command-r",
  deepseek2: () => "deepseek-llm",
  falcon: () => "falcon",
  llama: (has) => {
    if (has("<|begin_of_text|>")) return "llama-bpe";
    if (!has("<｜begin▁of▁sentence｜>")) return "default";
    return has("<｜fim▁begin｜>") ? "deepseek-coder" : "deepseek-llm";
  },
  olmo: () => "olmo",
  qwen2: () => "qwen2",
  qwen2moe: () => "qwen2",
  stablelm: (has) => (has("<|im_start|>") && has("<|reg0|>") ? "stablelm2" : "default"),
  starcoder: () => "starcoder",
  starcoder2: () => "starcoder",
};

/** The name of a file's way to cut: `tokenizer.ggml.pre`, or by its architecture where that says nothing. */
export function preTokenizerName(pre: unknown, architecture: unknown, tokens: readonly string[]): string {
  if (pre !== undefined && pre !== "default") return String(pre);
  const known = typeof architecture === "string" && Object.hasOwn(UNNAMED, architecture);
  return known ? UNNAMED[architecture]!((token) => tokens.includes(token)) : "default";
}

/** Whether texts begin with the model's first token where a file doesn't say: by its `tokenizer.ggml.model` and `.pre`. */
export function beginsWithBos(model: unknown, pre: unknown): boolean {
  if (model === "llama") return true;
  return (
    model === "gpt2" &&
    typeof pre === "string" &&
    Object.hasOwn(PRE_TOKENIZERS, pre) &&
    (PRE_TOKENIZERS[pre]!.addBos ?? false)
  );
}

function named(pre: PreTokenizer, ...names: string[]): Record<string, PreTokenizer> {
  return Object.fromEntries(names.map((name) => [name, pre]));
}
