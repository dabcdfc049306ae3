import { GPT2_PATTERN } from "../split/gpt2-scanner.ts";
import type { TiktokenEncoding } from "./tiktoken.ts";

const gpt4Body =
  "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const spelled = "(?:'s|'S|'t|'T|'re|'rE|'Re|'RE|'ve|'vE|'Ve|'VE|'m|'M|'ll|'lL|'Ll|'LL|'d|'D)";
const cl100k = spelled + gpt4Body;
const folded = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const qwen = folded + gpt4Body.replace("{1,3}", "");
/** Llama 3's way to cut, which GLM-4 took over. */
export const LLAMA3_PATTERN: string = folded + gpt4Body;

const word = "[^\\r\\n\\p{L}\\p{N}]?";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const o200k =
  `${word}${upper}*${lower}+${folded}?|${word}${upper}+${lower}*${folded}?|\\p{N}{1,3}` +
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const gpt2Tokens = { "<|endoftext|>": 50256 };

/** Numbers names from an id on. */
export function numbered(names: readonly string[], from: number): Record<string, number> {
  return Object.fromEntries(names.map((name, index) => [name, from + index]));
}

const fim = (
  "<fim_prefix> <fim_middle> <fim_suffix> <fim_pad> <filename> <gh_stars> <issue_start> <issue_comment> <issue_closed> " +
  "<jupyter_start> <jupyter_text> <jupyter_code> <jupyter_output> <empty_output> <commit_before> <commit_msg> " +
  "<commit_after> <reponame>"
).split(" ");

/** Runs from the longest to two. */
function runs(char: string, longest: number): string[] {
  return Array.from({ length: longest - 1 }, (_, index) => char.repeat(longest - index));
}

/** Salesforce's encoding: GPT-2's, then runs of spaces and tabs, StarCoder's control tokens, and masks for filling in. */
function salesforce(): TiktokenEncoding {
  const extraRanks = numbered([...runs(" ", 31), ...runs("\t", 9)], 50257);
  const dummies = ["<dummy_0>", "<dummy_1>", "<dummy_2>", "<dummy_3>", "<sep>", "<eom>"];
  const masks = Array.from({ length: 881 }, (_, index) => `<mask_${881 - index}>`);
  const named = numbered([...fim, ...dummies, ...masks], 50257 + Object.keys(extraRanks).length);
  return { pattern: GPT2_PATTERN, extraRanks, specialTokens: { ...gpt2Tokens, ...named } };
}

const qwenExtras = Array.from({ length: 205 }, (_, index) => `<|extra_${index}|>`);

/** The published encodings, by the names their rank files go by. */
export const tiktokenEncodings: Readonly<Record<string, () => TiktokenEncoding>> = {
  gpt2: () => ({ pattern: GPT2_PATTERN, specialTokens: gpt2Tokens }),
  r50k_base: () => ({ pattern: GPT2_PATTERN, specialTokens: gpt2Tokens }),
  p50k_base: () => ({ pattern: GPT2_PATTERN, specialTokens: gpt2Tokens }),
  cl100k_base: () => ({
    pattern: cl100k,
    specialTokens: {
      ...numbered(["<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"], 100257),
      "<|endofprompt|>": 100276,
    },
  }),
  o200k_base: () => ({ pattern: o200k, specialTokens: { "<|endoftext|>": 199999, "<|endofprompt|>": 200018 } }),
  qwen: () => ({
    pattern: qwen,
    specialTokens: numbered(["<|endoftext|>", "<|im_start|>", "<|im_end|>", ...qwenExtras], 151643),
  }),
  salesforce,
};

/** Meta's Llama 3 rank file is called tokenizer.model; its control tokens come after the ranks. */
export function llama3Encoding(ranks: number): TiktokenEncoding {
  const reserved = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `<|reserved_special_token_${from + index}|>`);
  const names = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    ...reserved(0, 4),
    "<|start_header_id|>",
    "<|end_header_id|>",
    ...reserved(4, 5),
    "<|eot_id|>",
    ...reserved(5, 251),
  ];
  return { pattern: LLAMA3_PATTERN, specialTokens: numbered(names, ranks) };
}
