import type { AddedToken } from "./added-tokens.ts";
import { padBatch } from "./batch.ts";
import {
  type ChatMessage,
  type ChatOptions,
  type ChatTemplateInfo,
  type ChatTemplates,
  renderChat,
} from "./chat/template.ts";
import type { Decoder } from "./decode/decoder.ts";
import { cleanUp, fallbackByte, joinBytes } from "./decode/steps.ts";
import { ByteStream, type TextStream, WindowStream } from "./decode/stream.ts";
import { type Infill, type InfillRequest, infillOf, renderInfill } from "./infill.ts";
import type { Batch, BatchOptions, DecodeOptions, EncodeOptions, Encoding } from "./options.ts";
import { Pipeline, type PipelineParts } from "./pipeline.ts";
import type { PostProcessor } from "./post.ts";
import type { SpecialTokens } from "./special-tokens.ts";
import { alphabetBytes } from "./text/byte-alphabet.ts";
import { IntList } from "./text/int-list.ts";
import { decodeUtf8, encodeUtf8 } from "./text/utf8.ts";
import { trimOffsets } from "./trim-offsets.ts";

/** What a reader of some file format hands over. */
export interface TokenizerParts extends PipelineParts {
  readonly post: PostProcessor;
  readonly decoder: Decoder;
  readonly special: SpecialTokens;
  readonly chat: ChatTemplates;
}

/** Text to ids and back, exactly as the published tokenizer does it. Made by `loadTokenizer` or `createTokenizer`. */
export class Tokenizer {
  readonly #parts: TokenizerParts;
  readonly #pipeline: Pipeline;
  readonly #addedById = new Map<number, AddedToken>();
  readonly #addedByContent = new Map<string, AddedToken>();
  /** How added tokens look in decoded text where the normalisation changes them. */
  readonly #normalForms = new Map<number, string>();
  readonly #bytes: (Uint8Array | undefined)[] = [];
  /** Where ids are collected: one buffer for all calls, since a new one each time is memory that waits for the collector. */
  #scratch = new IntList(1024);
  /** One past the largest id, added tokens included. */
  readonly vocabSize: number;

  constructor(parts: TokenizerParts) {
    this.#parts = parts;
    this.#pipeline = new Pipeline(parts);
    let size = parts.model.vocab.size;
    for (const token of parts.addedTokens) {
      this.#addedById.set(token.id, token);
      this.#addedByContent.set(token.content, token);
      size = Math.max(size, token.id + 1);
      if (!token.normalized || parts.verbatimTokens) continue;
      const normal = this.#pipeline.normalize(token.content);
      if (normal !== token.content) this.#normalForms.set(token.id, normal);
    }
    this.vocabSize = size;
  }

  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const { addSpecialTokens = true, parseSpecial = true } = options;
    const { before, after } = this.#parts.post;
    const out = this.#scratch;
    out.length = 0;
    if (addSpecialTokens) for (const id of before) out.push(id);
    this.#pipeline.encode(text, parseSpecial, out);
    if (addSpecialTokens) for (const id of after) out.push(id);
    const ids = out.toArray();
    if (ids.length > MAX_KEPT) this.#scratch = new IntList();
    return ids;
  }

  /** The ids, and where in the text each came from. Slower than `encode`. */
  encodeWithOffsets(text: string, options: EncodeOptions = {}): Encoding {
    const { addSpecialTokens = true, parseSpecial = true } = options;
    const { before, after, trims } = this.#parts.post;
    const out = new IntList();
    const offsets = new IntList();
    this.#pipeline.encode(text, parseSpecial, out, offsets);
    if (trims.length > 0) {
      const places = offsets.toArray();
      const tokens = Array.from(out.toArray(), (id, i) =>
        this.#spelling(id, text.slice(places[i * 2], places[i * 2 + 1])),
      );
      for (const trim of trims) trimOffsets(offsets, trim, (index) => tokens[index]);
    }
    if (!addSpecialTokens) return { ids: out.toArray(), offsets: offsets.toArray() };
    const nowhere = (ids: readonly number[]) => new Int32Array(ids.length * 2);
    return {
      ids: concat(Int32Array.from(before), out.toArray(), Int32Array.from(after)),
      offsets: concat(nowhere(before), offsets.toArray(), nowhere(after)),
    };
  }

  /**
   * The ids of text that goes on after other text: nothing is added, control tokens are plain text, and tokenizers that
   * put a space before a text's first word don't.
   */
  encodeContinuation(text: string): Int32Array {
    const out = new IntList();
    this.#pipeline.encode(text, false, out, undefined, true);
    return out.toArray();
  }

  /** The ids that `addSpecialTokens` puts around a text. */
  get added(): { readonly before: readonly number[]; readonly after: readonly number[] } {
    return this.#parts.post;
  }

  /** How many ids `encode` would give. */
  countTokens(text: string, options: EncodeOptions = {}): number {
    return this.encode(text, options).length;
  }

  /** Several texts, cut and filled to a common length as asked. */
  encodeBatch(texts: readonly string[], options: BatchOptions = {}): Batch {
    return padBatch(texts, options, {
      // Cutting must not cut off what is added around the text.
      encode: (text) => this.encode(text, { ...options, addSpecialTokens: false }),
      before: options.addSpecialTokens === false ? [] : this.#parts.post.before,
      after: options.addSpecialTokens === false ? [] : this.#parts.post.after,
      padTokenId: this.padTokenId ?? this.eosTokenId,
    });
  }

  /** The text of ids; ids that the vocabulary doesn't have are left out. */
  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    const { skipSpecialTokens = false, cleanUpTokenizationSpaces = false } = options;
    const text = this.#parts.decoder.byteLevel
      ? this.#decodeBytes(ids, skipSpecialTokens)
      : this.#parts.decoder.decode(this.#tokensOf(ids, skipSpecialTokens));
    return cleanUpTokenizationSpaces ? cleanUp(text) : text;
  }

  decodeBatch(rows: readonly ArrayLike<number>[], options: DecodeOptions = {}): string[] {
    return rows.map((ids) => this.decode(ids, options));
  }

  /** Decodes ids as they come. Control tokens are left out unless `skipSpecialTokens` is false. */
  stream(options: { readonly skipSpecialTokens?: boolean } = {}): TextStream {
    const { skipSpecialTokens = true } = options;
    if (!this.#parts.decoder.byteLevel) return new WindowStream((ids) => this.decode(ids, { skipSpecialTokens }));
    return new ByteStream((id) => (skipSpecialTokens && this.isSpecial(id) ? noBytes : this.#bytesOf(id)));
  }

  tokenToId(token: string): number | undefined {
    const added = this.#addedByContent.get(token);
    if (added !== undefined) return added.id;
    const id = this.#parts.model.vocab.idOf(token);
    return id < 0 ? undefined : id;
  }

  /** The token as the vocabulary writes it (`Ġthe`, `▁the`). */
  idToToken(id: number): string | undefined {
    return this.#normalForms.get(id) ?? this.#addedById.get(id)?.content ?? this.#parts.model.vocab.tokenOf(id);
  }

  /** The bytes that a token stands for inside a text (` the`); empty for ids that the vocabulary doesn't have. */
  tokenBytes(id: number): Uint8Array {
    if (this.#parts.decoder.byteLevel) return this.#bytesOf(id).slice();
    const added = this.#addedById.get(id);
    if (added !== undefined) return encodeUtf8(added.content);
    const token = this.#parts.model.vocab.tokenOf(id);
    if (token === undefined) return noBytes;
    const byte = fallbackByte(token);
    if (byte >= 0) return Uint8Array.of(byte);
    // Some decoders treat the first token in a special way: behind another one it shows what it is.
    return encodeUtf8(this.#parts.decoder.decode(["a", token]).slice(1));
  }

  isSpecial(id: number): boolean {
    return this.#addedById.get(id)?.special === true;
  }

  /** Control tokens and their ids. */
  get specialTokens(): ReadonlyMap<string, number> {
    return new Map(
      this.#parts.addedTokens.filter((token) => token.special).map((token) => [token.content, token.id] as const),
    );
  }

  get addedTokens(): readonly AddedToken[] {
    return this.#parts.addedTokens;
  }

  get bosTokenId(): number | undefined {
    return this.#idOfSpecial("bos");
  }

  get eosTokenId(): number | undefined {
    return this.#idOfSpecial("eos");
  }

  get padTokenId(): number | undefined {
    return this.#idOfSpecial("pad");
  }

  get unkTokenId(): number | undefined {
    return this.#idOfSpecial("unk");
  }

  /** The longest input the publisher says the model takes, where it says so. */
  get modelMaxLength(): number | undefined {
    return this.#parts.special.modelMaxLength;
  }

  /** The names of the checkpoint's chat templates; empty when it has none. */
  get chatTemplateNames(): readonly string[] {
    return [...this.#parts.chat.templates.keys()];
  }

  /** Where the chat template comes from, and its name; `plain` means that the model knows nothing of conversations. */
  get chatTemplate(): ChatTemplateInfo {
    const { templates, fallback } = this.#parts.chat;
    return templates.size > 0 ? { name: [...templates.keys()][0], origin: "checkpoint", stops: [] } : fallback;
  }

  /** The text of the checkpoint's chat templates, all of them: it shows how the model was taught to write calls and thoughts. */
  get chatTemplateSource(): string | undefined {
    const { templates } = this.#parts.chat;
    return templates.size > 0 ? [...templates.values()].join("\n") : undefined;
  }

  /** The prompt for a conversation. Encode it with `addSpecialTokens: false`: templates write those tokens themselves. */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
    const text = renderChat(this.#parts.chat, this.#parts.special, messages, options);
    const plain = this.chatTemplate.origin === "plain" && options.template === undefined;
    // A template that is anybody's can't know what this model's texts begin with.
    return plain ? this.added.before.map((id) => this.idToToken(id) ?? "").join("") + text : text;
  }

  /** How this model's family writes fill-in-the-middle prompts, or undefined when it has no tokens for them. */
  get infill(): Infill | undefined {
    return infillOf((token) => this.tokenToId(token));
  }

  /** The tokens that end what is filled in, besides the end-of-text token. */
  get infillEnds(): readonly number[] {
    return (this.infill?.stop ?? []).flatMap((token) => this.tokenToId(token) ?? []);
  }

  /** The ids that ask the model for what belongs between `prefix` and `suffix`. */
  encodeInfill(request: InfillRequest): Int32Array {
    return renderInfill(this, request);
  }

  /** A token as it stands in a text, or as its vocabulary writes it; added tokens may have taken space from around them. */
  #spelling(id: number, place: string): string {
    const added = this.#addedById.get(id);
    return added !== undefined && place.includes(added.content) ? place : (this.idToToken(id) ?? "");
  }

  #idOfSpecial(name: "bos" | "eos" | "pad" | "unk"): number | undefined {
    const token = this.#parts.special[name];
    return token === undefined ? undefined : this.tokenToId(token);
  }

  #tokensOf(ids: ArrayLike<number>, skipSpecial: boolean): string[] {
    const tokens: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      if (skipSpecial && this.isSpecial(ids[i])) continue;
      const token = this.idToToken(ids[i]);
      if (token !== undefined) tokens.push(token);
    }
    return tokens;
  }

  #decodeBytes(ids: ArrayLike<number>, skipSpecial: boolean): string {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < ids.length; i++)
      if (!(skipSpecial && this.isSpecial(ids[i]))) parts.push(this.#bytesOf(ids[i]));
    return decodeUtf8(joinBytes(parts));
  }

  /** A byte-level token's bytes; kept, since a stream asks for the same ones again and again. */
  #bytesOf(id: number): Uint8Array {
    const known = this.#bytes[id];
    if (known !== undefined) return known;
    const token = this.idToToken(id);
    if (token === undefined) return noBytes;
    return (this.#bytes[id] = alphabetBytes(token) ?? encodeUtf8(token));
  }
}

function concat(...parts: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A buffer grown beyond this by one large text isn't kept. */
const MAX_KEPT = 1 << 18;

const noBytes = new Uint8Array(0);
