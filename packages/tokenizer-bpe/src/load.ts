import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type CreateOptions, createTokenizer } from "./create.ts";
import { TokenizerError } from "./error.ts";
import type { TokenizerFiles } from "./files.ts";
import { MAX_FILE_BYTES } from "./limits.ts";
import { NO_TOKENIZER } from "./read/vocabulary-file.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The files that say something about a tokenizer; nothing else in a checkpoint's folder is opened. */
const useful =
  /^(?:tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|config\.json|vocab\.json|merges\.txt|vocab\.txt|chat_template\.(?:json|jinja)|.*\.model|.*\.tiktoken)$/;

/**
 * Opens the tokenizer in a checkpoint's folder, or a tokenizer file by its path. Files already in memory may be given
 * instead; `createTokenizer` takes them too, without waiting.
 */
export async function loadTokenizer(source: string | TokenizerFiles, options: CreateOptions = {}): Promise<Tokenizer> {
  if (typeof source !== "string") return createTokenizer(source, options);
  const info = await stat(source).catch((error: NodeJS.ErrnoException) => {
    throw new TokenizerError("not-found", error.code === "ENOENT" ? "does not exist" : reasonOf(error), {
      file: source,
    });
  });
  const files = info.isDirectory() ? await readFolder(source) : { [basename(source)]: await readChecked(source) };
  try {
    return createTokenizer(files, { name: basename(source), ...options });
  } catch (error) {
    if (!TokenizerError.isInstance(error)) throw error;
    if (error.file !== undefined && Object.hasOwn(files, error.file)) {
      const file = info.isDirectory() ? join(source, error.file) : source;
      throw new TokenizerError(error.code, error.message.slice(error.file.length + ": ".length), {
        file,
        cause: error.cause,
      });
    }
    if (error.code === "not-found")
      throw new TokenizerError(
        "not-found",
        error.message !== NO_TOKENIZER
          ? error.message
          : info.isDirectory()
            ? "has no tokenizer (tokenizer.json, vocab.json with merges.txt, tokenizer.model or a .tiktoken file)"
            : "is no tokenizer's file by its name (tokenizer.json, tokenizer.model or a .tiktoken file)",
        { file: source },
      );
    throw error;
  }
}

async function readFolder(folder: string): Promise<TokenizerFiles> {
  const files: Record<string, Uint8Array> = {};
  for (const name of await readdir(folder)) if (useful.test(name)) files[name] = await readChecked(join(folder, name));
  const more = join(folder, "additional_chat_templates");
  for (const name of await readdir(more).catch(() => []))
    if (name.endsWith(".jinja")) files[`additional_chat_templates/${name}`] = await readChecked(join(more, name));
  return files;
}

async function readChecked(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES)
      throw new TokenizerError("limit-exceeded", `is larger than ${MAX_FILE_BYTES} bytes`, { file: path });
    return await readFile(path);
  } catch (error) {
    if (TokenizerError.isInstance(error)) throw error;
    throw new TokenizerError("not-found", `can't be read: ${reasonOf(error)}`, { file: path, cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
}
