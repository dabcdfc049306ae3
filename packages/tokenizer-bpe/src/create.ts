import type { AddedToken } from "./added-tokens.ts";
import { fallbackTemplate } from "./chat/fallbacks.ts";
import { readTemplates } from "./chat/read-templates.ts";
import { inFile } from "./error.ts";
import { Files, type TokenizerFiles } from "./files.ts";
import { type GgufMetadata, ggufSpecialTokens, ggufTemplates, readGguf } from "./read/gguf.ts";
import type { TiktokenEncoding } from "./read/tiktoken.ts";
import type { ReadTokenizer } from "./read/tokenizer-json.ts";
import { readVocabularyFile } from "./read/vocabulary-file.ts";
import { addedTokensBeside, declaredTokens, readSpecialTokens, type SpecialTokens } from "./special-tokens.ts";
import { Tokenizer } from "./tokenizer.ts";

export interface CreateOptions {
  /** The checkpoint's `model_type`; config.json says it where it is among the files. Chooses a chat template's fallback. */
  readonly modelType?: string;
  /** The repository's or folder's name, for the same choice. */
  readonly name?: string;
  /** What a tiktoken rank file doesn't say, for encodings that aren't known by their file's name. */
  readonly tiktoken?: TiktokenEncoding;
  /** Off, every pre-tokenizer runs as a regular expression instead of a scanner: slower, with the same results. */
  readonly scanners?: boolean;
}

/** Makes a tokenizer of files in memory, by their published names. Touches no disk. */
export function createTokenizer(given: TokenizerFiles, options: CreateOptions = {}): Tokenizer {
  const files = new Files(given);
  const config = files.object("tokenizer_config.json");
  const said = readSpecialTokens(config, files.object("special_tokens_map.json"));
  const { read, file, special } = readVocabularyFile(files, { config, special: said }, options);
  const idOf = (content: string) => read.model.vocab.idOf(content);
  const tokens = inFile("tokenizer_config.json", () => {
    const added = addedTokensBeside(config, files.object("added_tokens.json"), special, idOf);
    return file === "tokenizer.json"
      ? withMissing(read, added, declaredTokens(config), special)
      : withOverrides(read, added);
  });
  const model = files.object("config.json");
  return finish(tokens, special, {
    templates: readTemplates(files, config),
    modelType: options.modelType ?? textOf(model.model_type),
    name: options.name ?? textOf(model._name_or_path),
  });
}

/** Makes the tokenizer that a GGUF file carries, from its metadata. */
export function createTokenizerFromGguf(metadata: GgufMetadata, options: CreateOptions = {}): Tokenizer {
  return finish(readGguf(metadata), ggufSpecialTokens(metadata), {
    templates: ggufTemplates(metadata),
    modelType: options.modelType ?? textOf(metadata["general.architecture"]),
    name: options.name ?? textOf(metadata["general.name"]),
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/**
 * What a tokenizer.json lacks altogether is added. Of tokens that it has, `added_tokens_decoder` says again how they are found, which
 * then holds, as in Python's AutoTokenizer; the ids stay, and a token that either calls special is, as are the named ones.
 */
function withMissing(
  read: ReadTokenizer,
  added: readonly AddedToken[],
  declared: ReadonlyMap<string, AddedToken>,
  { named }: SpecialTokens,
): ReadTokenizer {
  const parts = new Set(Object.values(named).flat());
  const known = new Set(read.addedTokens.map((token) => token.content));
  const again = read.addedTokens.map((token) => {
    const { content, id } = token;
    const said = declared.get(content) ?? token;
    return { ...said, id, special: token.special || said.special || parts.has(content) };
  });
  return { ...read, addedTokens: [...again, ...added.filter((token) => !known.has(token.content))] };
}

/** Other vocabularies say little, so the files beside them win. */
function withOverrides(read: ReadTokenizer, added: readonly AddedToken[]): ReadTokenizer {
  const beside = new Set(added.map((token) => token.content));
  return { ...read, addedTokens: [...read.addedTokens.filter((token) => !beside.has(token.content)), ...added] };
}

interface Chat {
  readonly templates: ReadonlyMap<string, string>;
  readonly modelType: string | undefined;
  readonly name: string | undefined;
}

function finish(read: ReadTokenizer, special: SpecialTokens, { templates, modelType, name }: Chat): Tokenizer {
  const contents = new Set(read.addedTokens.map((token) => token.content));
  const hasToken = (token: string) => contents.has(token);
  return new Tokenizer({
    ...read,
    special,
    chat: { templates, fallback: fallbackTemplate({ hasToken, modelType, name }) },
  });
}
