import { fallbackTemplate } from "./chat/fallbacks.ts";
import { readTemplates } from "./chat/read-templates.ts";
import { inFile, TokenizerError } from "./error.ts";
import { Files, type TokenizerFiles } from "./files.ts";
import { type ReadTokenizer, readTokenizerJson } from "./read/tokenizer-json.ts";
import { addedTokensBeside, readSpecialTokens, type SpecialTokens } from "./special-tokens.ts";
import type { JsonNode } from "./text/json-node.ts";
import { Tokenizer } from "./tokenizer.ts";

export interface CreateOptions {
  /** The checkpoint's `model_type`; config.json says it where it is among the files. Chooses a chat template's fallback. */
  readonly modelType?: string;
  /** The repository's or folder's name, for the same choice. */
  readonly name?: string;
}

/** What a reader needs besides its own file. */
export interface Beside {
  readonly config: JsonNode;
  readonly added: JsonNode;
  readonly special: SpecialTokens;
}

/** Makes a tokenizer of files in memory, by their published names. Touches no disk. */
export function createTokenizer(given: TokenizerFiles, options: CreateOptions = {}): Tokenizer {
  const files = new Files(given);
  const config = files.object("tokenizer_config.json");
  const special = readSpecialTokens(config, files.object("special_tokens_map.json"));
  const beside: Beside = { config, added: files.object("added_tokens.json"), special };
  const read = readVocabularyFile(files, beside);
  const model = files.object("config.json");
  return finish(read, beside, {
    templates: readTemplates(files, config),
    modelType: options.modelType ?? (typeof model.model_type === "string" ? model.model_type : undefined),
    name: options.name ?? (typeof model._name_or_path === "string" ? model._name_or_path : undefined),
  });
}

function readVocabularyFile(files: Files, _beside: Beside): ReadTokenizer {
  const json = files.bytes("tokenizer.json");
  if (json !== undefined) return inFile("tokenizer.json", () => readTokenizerJson(json));
  throw new TokenizerError("not-found", "no tokenizer among the files");
}

interface Chat {
  readonly templates: ReadonlyMap<string, string>;
  readonly modelType: string | undefined;
  readonly name: string | undefined;
}

/** Adds what the files beside the vocabulary know. */
export function finish(read: ReadTokenizer, { config, added, special }: Beside, chat: Chat): Tokenizer {
  const known = new Set(read.addedTokens.map((token) => token.content));
  const more = addedTokensBeside(config, added, special, (content) => read.model.vocab.idOf(content));
  const addedTokens = [...read.addedTokens, ...more.filter((token) => !known.has(token.content))];
  const contents = new Set(addedTokens.map((token) => token.content));
  return new Tokenizer({
    ...read,
    addedTokens,
    special,
    chat: {
      templates: chat.templates,
      fallback: fallbackTemplate({
        hasToken: (token) => contents.has(token),
        modelType: chat.modelType,
        name: chat.name,
      }),
    },
  });
}
