import type { ChatMessage, ChatTemplateOptions, TextStream, TextTokenizer } from "./tokenizer.ts";

/** The part of a tokenizer of @huggingface/transformers that is used here. */
export interface TransformersTokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): number[];
  decode(ids: number[], options?: { skip_special_tokens?: boolean }): string;
  apply_chat_template?(messages: unknown, options?: Record<string, unknown>): unknown;
  chat_template?: unknown; // a template, or several by name
  eos_token?: string | null;
}

/** The part of its streamers: TextStreamer and whatever extends it. Ids are bigints there, one list for each row. */
export interface TransformersStreamer {
  put(rows: bigint[][]): void;
  end(): void;
}

/** A tokenizer of either kind as the one that is needed. */
export function asTextTokenizer(tokenizer: TextTokenizer | TransformersTokenizer): TextTokenizer {
  return "stream" in tokenizer ? tokenizer : fromTransformers(tokenizer);
}

function fromTransformers(tokenizer: TransformersTokenizer): TextTokenizer {
  // It refuses to decode nothing, which is what an answer says that ends at once.
  const decode: TextTokenizer["decode"] = (ids, { skipSpecialTokens = false } = {}) =>
    ids.length === 0 ? "" : tokenizer.decode(Array.from(ids), { skip_special_tokens: skipSpecialTokens });
  const eos = tokenizer.eos_token ? tokenizer.encode(tokenizer.eos_token, { add_special_tokens: false }) : [];
  return {
    encode: (text, { addSpecialTokens = true } = {}) =>
      tokenizer.encode(text, { add_special_tokens: addSpecialTokens }),
    decode,
    stream: (options) => new WindowStream((ids) => decode(ids, { skipSpecialTokens: true, ...options })),
    eosTokenId: eos.length === 1 ? eos[0] : undefined,
    chatTemplateSource: templatesOf(tokenizer.chat_template),
    ...(tokenizer.apply_chat_template
      ? {
          applyChatTemplate: (
            messages: readonly ChatMessage[],
            { addGenerationPrompt = false, tools }: ChatTemplateOptions = {},
          ) =>
            String(
              tokenizer.apply_chat_template!(messages, {
                tokenize: false,
                add_generation_prompt: addGenerationPrompt,
                ...(tools ? { tools } : {}),
              }),
            ),
        }
      : {}),
  };
}

function templatesOf(template: unknown): string | undefined {
  if (typeof template === "string") return template;
  return typeof template === "object" && template !== null ? Object.values(template).join("\n") : undefined;
}

/** A run of ids without a finished character that is longer than this is no text. */
const MAX_UNFINISHED = 64;

/** Decodes the last few ids anew with each one that comes, since what a token says may depend on its neighbours. */
class WindowStream implements TextStream {
  readonly #decode: (ids: readonly number[]) => string;
  #ids: number[] = [];
  #given = ""; // what decoding `#ids` gave, as far as it was given out

  constructor(decode: (ids: readonly number[]) => string) {
    this.#decode = decode;
  }

  push(id: number): string {
    this.#ids.push(id);
    const text = this.#decode(this.#ids);
    if (text.endsWith("\ufffd") && this.#ids.length < MAX_UNFINISHED) return "";
    const piece = text.slice(this.#given.length);
    // The last id stays, so that the next one is decoded beside it.
    this.#ids = [id];
    this.#given = this.#decode(this.#ids);
    return piece;
  }

  end(): string {
    const piece = this.#decode(this.#ids).slice(this.#given.length);
    this.#ids = [];
    this.#given = "";
    return piece;
  }
}
