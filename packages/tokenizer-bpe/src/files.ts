import { inFile, TokenizerError } from "./error.ts";
import { MAX_FILE_BYTES } from "./limits.ts";
import { parseJson } from "./read/tokenizer-json.ts";
import { isNode, type JsonNode } from "./text/json-node.ts";
import { decodeUtf8, encodeUtf8 } from "./text/utf8.ts";

/** A tokenizer's files by name (`tokenizer.json`, `tokenizer_config.json`, …), as bytes or as text. */
export type TokenizerFiles = Readonly<Record<string, Uint8Array | string>>;

export class Files {
  readonly #files: TokenizerFiles;

  constructor(files: TokenizerFiles) {
    this.#files = files;
    for (const [name, content] of Object.entries(files))
      if (content.length > MAX_FILE_BYTES)
        throw new TokenizerError("limit-exceeded", `is larger than ${MAX_FILE_BYTES} bytes`, { file: name });
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#files, name);
  }

  get names(): readonly string[] {
    return Object.keys(this.#files);
  }

  bytes(name: string): Uint8Array | undefined {
    if (!this.has(name)) return undefined;
    const content = this.#files[name];
    return typeof content === "string" ? encodeUtf8(content) : content;
  }

  text(name: string): string | undefined {
    if (!this.has(name)) return undefined;
    const content = this.#files[name];
    return typeof content === "string" ? content : decodeUtf8(content);
  }

  /** A file's JSON object; an empty one when there is no such file. */
  object(name: string): JsonNode {
    const text = this.text(name);
    if (text === undefined) return {};
    return inFile(name, () => {
      const value = parseJson(text);
      if (!isNode(value)) throw new TokenizerError("file-invalid", "is not an object");
      return value;
    });
  }
}
