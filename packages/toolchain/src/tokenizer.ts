import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Checkpoint, openCheckpoint } from "@llm/checkpoint";
import { createTokenizer, loadTokenizer, type Tokenizer, TokenizerError } from "@llm/tokenizer-bpe";
import { ToolchainError } from "./error.ts";
import { MODEL_FILES } from "./model-files.ts";
import { type ResolveOptions, resolveModel } from "./resolve-model.ts";

/** What `llm inspect` says of a tokenizer. */
export interface TokenizerDescription {
  readonly vocabSize: number;
  readonly special: Readonly<Record<string, string>>;
  readonly chatTemplates: readonly string[];
}

/** The tokenizer of a MODEL, of an artefact, or in a file of its own. Needs no weights and no config. */
export async function openTokenizer(model?: string, options: ResolveOptions = {}): Promise<Tokenizer> {
  const { path } = await resolveModel(model, { want: "tokenizer", ...options });
  if (!(await stat(path)).isDirectory()) {
    if (path.endsWith(".gguf")) return tokenizerInside(path);
    // Weights that are named by themselves have their tokenizer beside them.
    return loadTokenizer(/\.(?:safetensors|bin)$/.test(path) ? dirname(path) : path);
  }
  const inside = join(path, MODEL_FILES); // artefacts keep the checkpoint's files one folder down
  const has = async (folder: string) =>
    (await readdir(folder).catch(() => [])).some((name) => /^(tokenizer|vocab)\./.test(name));
  try {
    return await loadTokenizer(!(await has(path)) && (await has(inside)) ? inside : path);
  } catch (error) {
    const missing = TokenizerError.isInstance(error) && error.code === "not-found";
    if (missing && (await readdir(path)).some((name) => name.endsWith(".gguf"))) return tokenizerInside(path);
    throw error;
  }
}

/** The tokenizer that a GGUF file has in itself, by its path or its folder's. */
async function tokenizerInside(path: string): Promise<Tokenizer> {
  const checkpoint = await openCheckpoint(path);
  return tokenizerOf(checkpoint).finally(() => checkpoint.close());
}

const made = new WeakMap<Checkpoint, Promise<Tokenizer>>();

/** The tokenizer that a checkpoint brings along; made once, which takes seconds where a vocabulary is large. */
export function tokenizerOf(checkpoint: Checkpoint): Promise<Tokenizer> {
  const known = made.get(checkpoint) ?? makeTokenizer(checkpoint);
  made.set(checkpoint, known);
  return known;
}

async function makeTokenizer(checkpoint: Checkpoint): Promise<Tokenizer> {
  if (checkpoint.kind !== "gguf") return loadTokenizer(checkpoint.folder);
  const files: Record<string, Uint8Array> = {};
  for (const name of checkpoint.files) {
    const bytes = await checkpoint.readFile(name);
    if (bytes) files[name] = bytes;
  }
  try {
    return createTokenizer(files);
  } catch (error) {
    throw new ToolchainError("tokenizer-missing", `${checkpoint.path}: ${(error as Error).message}`, { cause: error });
  }
}

export async function describeTokenizer(path: string): Promise<TokenizerDescription> {
  const tokenizer = await loadTokenizer(path);
  const roles = {
    bos: tokenizer.bosTokenId,
    eos: tokenizer.eosTokenId,
    pad: tokenizer.padTokenId,
    unk: tokenizer.unkTokenId,
  };
  const special = Object.entries(roles).flatMap(([role, id]) => {
    const token = id === undefined ? undefined : tokenizer.idToToken(id);
    return token === undefined ? [] : [[role, token] as const];
  });
  return {
    vocabSize: tokenizer.vocabSize,
    special: Object.fromEntries(special),
    chatTemplates: tokenizer.chatTemplateNames,
  };
}
