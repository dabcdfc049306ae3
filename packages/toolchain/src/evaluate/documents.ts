import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Tokenizer } from "@llm/tokenizer-bpe";
import { ToolchainError } from "../error.ts";

/** Token ids of texts, piece after piece: no more of a file is ever in memory than a piece. */
export interface Piece {
  readonly ids: Int32Array;
  /** The first of a text of its own, which knows nothing of the ones before. */
  readonly starts: boolean;
  /** How many bytes of the file have been read. */
  readonly bytes: number;
}

/** Characters that are tokenised at once. A text that is longer is cut where a line begins. */
const PIECE = 1 << 15;

/**
 * Tokens of a file: `.jsonl` holds a text a line, as a JSON string or in a field `text` or `content`; anything else is one
 * text. Where a long text is cut into pieces, the tokens around the cut are those of two lines tokenised apart.
 */
export async function* tokensOf(file: string, tokenizer: Tokenizer): AsyncGenerator<Piece> {
  if (/\.jsonl$/i.test(file)) yield* ofLines(file, tokenizer);
  else yield* ofText(file, tokenizer);
}

/** Size of a file that is about to be read, or an error that names it. */
export async function sizeOfFile(file: string): Promise<number> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new ToolchainError("input-invalid", `${file}: can't be read (${error.code})`, { cause: error });
  });
  if (found.isFile()) return found.size;
  throw new ToolchainError("input-invalid", `${file}: is not a file`);
}

async function* ofText(file: string, tokenizer: Tokenizer): AsyncGenerator<Piece> {
  const input = createReadStream(file, { highWaterMark: 1 << 16 });
  const decoder = new TextDecoder("utf-8");
  let text = "";
  let bytes = 0;
  let starts = true;
  const piece = (of: string): Piece => {
    const ids = starts ? withoutEnd(tokenizer, of) : tokenizer.encodeContinuation(of);
    const made = { ids, starts, bytes };
    starts = false;
    return made;
  };
  for await (const chunk of input as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    while (text.length > PIECE) {
      const cut = lastLine(text.slice(0, PIECE));
      yield piece(text.slice(0, cut));
      text = text.slice(cut);
    }
  }
  text += decoder.decode();
  if (text !== "") yield piece(text);
}

/** Where the last line of a piece begins that isn't indented: tokens of line ends and of indents stay whole. */
function lastLine(text: string): number {
  for (let at = text.length - 1; at > text.length / 2; at--)
    if (text[at - 1] === "\n" && !/\s/.test(text[at]!)) return at;
  const space = text.lastIndexOf(" ");
  return space > 0 ? space : text.length - (endsInPair(text) ? 1 : 0);
}

/** Whether the text ends between the two halves of a character that takes two. */
function endsInPair(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00;
}

async function* ofLines(file: string, tokenizer: Tokenizer): AsyncGenerator<Piece> {
  let bytes = 0;
  for await (const { value, line } of jsonLines(file)) {
    bytes += line.bytes;
    const text = typeof value === "string" ? value : textIn(value);
    if (text === undefined)
      throw new ToolchainError(
        "input-invalid",
        `${file}: line ${line.number} is neither a JSON string nor an object with "text" or "content"`,
      );
    if (text !== "") yield { ids: withoutEnd(tokenizer, text), starts: true, bytes };
  }
}

function textIn(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { text, content } = value as { text?: unknown; content?: unknown };
  return [text, content].find((one): one is string => typeof one === "string");
}

/** As a model sees a text that goes on: with what the tokenizer begins one with, without what it ends one with. */
function withoutEnd(tokenizer: Tokenizer, text: string): Int32Array {
  const ids = tokenizer.encode(text, { parseSpecial: false });
  return ids.subarray(0, ids.length - tokenizer.added.after.length);
}

export interface Line {
  readonly number: number;
  readonly bytes: number;
}

/** The JSON values of a file's lines, empty ones left out. */
export async function* jsonLines(file: string): AsyncGenerator<{ readonly value: unknown; readonly line: Line }> {
  await sizeOfFile(file);
  const input = createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  let bytes = 0;
  for await (const text of input) {
    number++;
    bytes += Buffer.byteLength(text) + 1;
    if (text.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new ToolchainError("input-invalid", `${file}: line ${number} is not JSON`);
    }
    yield { value, line: { number, bytes } };
    bytes = 0;
  }
}
