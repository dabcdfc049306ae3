import type { CreateOptions } from "../create.ts";
import { inFile, invalid, TokenizerError } from "../error.ts";
import type { Files } from "../files.ts";
import type { SpecialTokens } from "../special-tokens.ts";
import { alphabetBytes } from "../text/byte-alphabet.ts";
import { isNode, type JsonNode } from "../text/json-node.ts";
import { encodeUtf8 } from "../text/utf8.ts";
import { chatGlm, glm4Encoding } from "./glm.ts";
import { sentencePieceTokenizer } from "./sentencepiece.ts";
import { readSentencePieceProto, type SentencePieceSpec } from "./sentencepiece-proto.ts";
import { readTiktoken, type TiktokenEncoding, unknownEncoding } from "./tiktoken.ts";
import { llama3Encoding, tiktokenEncodings } from "./tiktoken-encodings.ts";
import { type ReadTokenizer, readTokenizerJson } from "./tokenizer-json.ts";
import { readVocabMerges } from "./vocab-merges.ts";

interface Beside {
  readonly config: JsonNode;
  readonly special: SpecialTokens;
}

interface FromFile {
  readonly file: string;
  readonly read: ReadTokenizer;
  readonly special: SpecialTokens;
}

/** Reads the file that holds the vocabulary; the one that says most about the tokenizer, where there are several. */
export function readVocabularyFile(files: Files, beside: Beside, options: CreateOptions): FromFile {
  const { config, special } = beside;
  const json = files.bytes("tokenizer.json");
  if (json !== undefined) {
    const file = "tokenizer.json";
    const { scanners = true } = options;
    return { file, special, read: inFile(file, () => readTokenizerJson(json, { scanners })) };
  }
  const ranks = files.names.find((name) => name.endsWith(".tiktoken"));
  if (ranks !== undefined) return tiktoken(files, ranks, beside, options);
  const model = files.has("tokenizer.model") ? "tokenizer.model" : files.names.find((name) => name.endsWith(".model"));
  if (model !== undefined) return sentencePiece(files, model, beside, options);
  const vocab = files.bytes("vocab.json");
  if (isSalesforce(config)) return salesforce(files, special);
  const merges = files.bytes("merges.txt");
  if (vocab !== undefined && merges !== undefined) {
    const said = special.eos === undefined ? gpt2Tokens(files, special) : special;
    const read = readVocabMerges(vocab, merges, {
      addPrefixSpace: config.add_prefix_space === true,
      bos: config.add_bos_token === true ? special.bos : undefined,
      eos: config.add_eos_token === true ? special.eos : undefined,
    });
    return { file: "vocab.json", special: said, read };
  }
  if (vocab !== undefined || merges !== undefined)
    throw new TokenizerError(
      "not-found",
      `${vocab === undefined ? "merges.txt" : "vocab.json"} is here, but not the other of the two`,
    );
  throw new TokenizerError("not-found", NO_TOKENIZER);
}

/** What is said of files among which nothing is a vocabulary, to whoever doesn't know where they are from. */
export const NO_TOKENIZER = "no tokenizer among the files";

/** GPT-2's classes have these names for their tokens without any file saying so. */
function gpt2Tokens(files: Files, special: SpecialTokens): SpecialTokens {
  const end = "<|endoftext|>";
  if (!files.text("vocab.json")?.includes(JSON.stringify(end))) return special;
  const named = { bos_token: end, eos_token: end, unk_token: end, ...special.named };
  return { ...special, bos: special.bos ?? end, eos: end, unk: special.unk ?? end, named };
}

/** CodeGen 2.5 and XGen add to GPT-2's vocabulary, which their classes take out of a Python package: no file of theirs has it. */
function isSalesforce({ tokenizer_class }: JsonNode): boolean {
  return /^(?:CodeGen25|Xgen)Tokenizer$/i.test(String(tokenizer_class));
}

function salesforce(files: Files, special: SpecialTokens): FromFile {
  const file = "vocab.json";
  const vocab = files.object(file);
  if (!files.has(file))
    throw new TokenizerError(
      "not-found",
      "its tokenizer adds to GPT-2's, which its files don't have; put GPT-2's vocab.json or gpt2.tiktoken beside them",
    );
  const encoding = tiktokenEncodings.salesforce();
  const read = inFile(file, () => readTiktoken(ranksOf(vocab, encoding), encoding));
  return { file, special: endedBy("<|endoftext|>", special, encoding), read };
}

/** A rank file of the same tokens: GPT-2's ids are their ranks. */
function ranksOf(vocab: JsonNode, { specialTokens }: TiktokenEncoding): Uint8Array {
  const lines = Object.entries(vocab).flatMap(([token, rank]) => {
    if (Object.hasOwn(specialTokens, token)) return [];
    const bytes = alphabetBytes(token);
    if (bytes === undefined || typeof rank !== "number") throw invalid("is not GPT-2's vocabulary");
    const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    return [`${btoa(binary)} ${rank}\n`];
  });
  return encodeUtf8(lines.join(""));
}

function tiktoken(files: Files, file: string, { config, special }: Beside, options: CreateOptions): FromFile {
  const name = isSalesforce(config) ? "salesforce" : file.slice(file.lastIndexOf("/") + 1, -".tiktoken".length);
  const known = Object.hasOwn(tiktokenEncodings, name) ? tiktokenEncodings[name]() : undefined;
  const encoding = options.tiktoken ?? known;
  if (encoding === undefined) throw unknownEncoding(file);
  const read = inFile(file, () => readTiktoken(files.bytes(file)!, encoding));
  return { file, special: endedBy("<|endoftext|>", special, encoding), read };
}

/** Ends texts with this token where no file says which does, if the encoding has it. */
function endedBy(token: string, special: SpecialTokens, { specialTokens }: TiktokenEncoding): SpecialTokens {
  return special.eos === undefined && token in specialTokens ? { ...special, eos: token } : special;
}

/** Two families publish a rank file by the name of SentencePiece's. Llama 3's code has the tokens that its files leave out. */
function modelEncoding(config: JsonNode, ranks: number): TiktokenEncoding {
  if (config.tokenizer_class === "ChatGLM4Tokenizer") return glm4Encoding(ranks);
  const { specialTokens, ...encoding } = llama3Encoding(ranks);
  return { ...encoding, specialTokens: isNode(config.added_tokens_decoder) ? {} : specialTokens };
}

/** ChatGLM 3 has tokens for roles, ChatGLM 2 hasn't, and their first files are alike but for the model's name. */
function hasRoles(files: Files, config: JsonNode, { name }: CreateOptions): boolean {
  const token = "<|user|>";
  if (files.text("tokenizer_config.json")?.includes(token) || files.text("added_tokens.json")?.includes(token))
    return true;
  return [name, config.name_or_path, files.object("config.json")._name_or_path].some((one) =>
    /chatglm3/i.test(String(one)),
  );
}

function sentencePiece(files: Files, file: string, beside: Beside, options: CreateOptions): FromFile {
  const { config, special } = beside;
  const bytes = files.bytes(file)!;
  if (/^[A-Za-z0-9+/=]+ 0\r?\n/.test(files.text(file)!.slice(0, 64))) {
    const encoding = options.tiktoken ?? modelEncoding(config, files.text(file)!.trimEnd().split("\n").length);
    const read = inFile(file, () => readTiktoken(bytes, encoding));
    return { file, special: endedBy("<|endoftext|>", special, encoding), read };
  }
  const spec = inFile(file, () => readSentencePieceProto(bytes));
  const t5 = /T5|UMT5/.test(String(config.tokenizer_class));
  const read = inFile(file, () =>
    sentencePieceTokenizer(spec, {
      addBos: flag(config.add_bos_token, !t5),
      addEos: flag(config.add_eos_token, t5),
      prefixEachPart: config.legacy !== false,
    }),
  );
  if (config.tokenizer_class !== "ChatGLMTokenizer") return { file, special: withSpecTokens(special, spec), read };
  const { bos: _, pad, ...said } = withSpecTokens(special, spec);
  return { file, special: { ...said, pad: pad ?? said.unk }, read: chatGlm(read, hasRoles(files, config, options)) };
}

function flag(value: unknown, fallback: boolean): boolean {
  return typeof value === "boolean" ? value : fallback;
}

/** Fills in what only the model file knows. */
function withSpecTokens(special: SpecialTokens, spec: SentencePieceSpec): SpecialTokens {
  const text = (id: number) => spec.pieces[id]?.text;
  const parts = {
    bos: special.bos ?? text(spec.bosId),
    eos: special.eos ?? text(spec.eosId),
    pad: special.pad ?? text(spec.padId),
    unk: special.unk ?? text(spec.unknownId),
  };
  const named: Record<string, string | readonly string[]> = { ...special.named };
  for (const [name, token] of Object.entries(parts)) if (token !== undefined) named[`${name}_token`] ??= token;
  return { ...special, ...parts, named };
}
