import { invalid, TokenizerError } from "./error.ts";
import { MAX_ADDED_TOKEN_LENGTH, MAX_TOKEN_ID } from "./limits.ts";
import { booleanOf, integerOf, isNode, type JsonNode, listOf, stringOf } from "./text/json-node.ts";

/** A token that is found in text as it stands, before anything else looks at it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Not between letters or digits. */
  readonly singleWord: boolean;
  /** Takes the white space before it, after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalised text. */
  readonly normalized: boolean;
  /** Control tokens: left out of decoded text, and not looked for in text that isn't trusted. */
  readonly special: boolean;
}

export function readAddedTokens(value: unknown): AddedToken[] {
  if (value === null || value === undefined) return [];
  return listOf(value, "added_tokens").map((one) => {
    if (!isNode(one)) throw invalid("added_tokens holds something that is not an object");
    return readAddedToken(one, integerOf(one, "id"));
  });
}

export function readAddedToken(node: JsonNode, id: number): AddedToken {
  const content = stringOf(node, "content");
  if (content.length > MAX_ADDED_TOKEN_LENGTH)
    throw new TokenizerError("limit-exceeded", `an added token has ${content.length} characters`);
  if (id > MAX_TOKEN_ID) throw new TokenizerError("limit-exceeded", `token id ${id} is above ${MAX_TOKEN_ID}`);
  const special = booleanOf(node, "special", false);
  return {
    id,
    content,
    special,
    singleWord: booleanOf(node, "single_word", false),
    lstrip: booleanOf(node, "lstrip", false),
    rstrip: booleanOf(node, "rstrip", false),
    normalized: booleanOf(node, "normalized", !special),
  };
}

/** A stretch of text, and the token that it is, if it is one. */
export interface Found {
  readonly start: number;
  readonly end: number;
  readonly token?: AddedToken;
}

interface Node {
  readonly next: Map<number, Node>;
  token?: AddedToken;
}

const whiteSpace = /\p{White_Space}/u;
const wordCharacter = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Looking at up to this many first characters, jumping from one to the next beats looking at every character. */
const MAX_JUMPS = 4;

/** Finds added tokens in text: the leftmost, and of those that start there the longest. */
export class AddedTokenFinder {
  readonly #root: Node = { next: new Map() };
  readonly #firsts: string[];
  readonly empty: boolean;

  /** `contentOf` says what each token looks like in the text that will be searched. */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string = (token) => token.content) {
    for (const token of tokens) {
      const content = contentOf(token);
      if (content === "") continue;
      let node = this.#root;
      for (let i = 0; i < content.length; i++) {
        const unit = content.charCodeAt(i);
        let next = node.next.get(unit);
        if (next === undefined) {
          next = { next: new Map() };
          node.next.set(unit, next);
        }
        node = next;
      }
      node.token = token;
    }
    this.#firsts = [...this.#root.next.keys()].map((unit) => String.fromCharCode(unit));
    this.empty = this.#firsts.length === 0;
  }

  /**
   * The whole text as stretches; with `special` off, control tokens are plain text. As in the Rust library, a token that
   * begins inside the space that the one before took still counts, and text goes on behind it: `start` may lie before
   * the previous `end`.
   */
  split(text: string, special: boolean): Found[] {
    if (this.empty) return text === "" ? [] : [{ start: 0, end: text.length }];
    const found: Found[] = [];
    let from = 0;
    for (const { start, end, token } of this.#matches(text)) {
      if (token.special && !special) continue;
      if (token.singleWord && !standsAlone(text, start, end)) continue;
      const left = token.lstrip ? Math.max(from, spaceStart(text, start)) : start;
      const right = token.rstrip ? spaceEnd(text, end) : end;
      if (left > from) found.push({ start: from, end: left });
      if (right > left) found.push({ start: left, end: right, token });
      from = right;
    }
    if (from < text.length) found.push({ start: from, end: text.length });
    return found;
  }

  *#matches(text: string): Generator<{ start: number; end: number; token: AddedToken }> {
    const jump = this.#jumper(text);
    for (let at = jump(0); at >= 0; ) {
      let node: Node | undefined = this.#root;
      let token: AddedToken | undefined;
      let end = at;
      for (let i = at; i < text.length; ) {
        node = node.next.get(text.charCodeAt(i++));
        if (node === undefined) break;
        if (node.token === undefined) continue;
        token = node.token;
        end = i;
      }
      if (token !== undefined) yield { start: at, end, token };
      at = jump(token === undefined ? at + 1 : end);
    }
  }

  /** The next place from a position on where a token may start, or −1. */
  #jumper(text: string): (from: number) => number {
    const { next } = this.#root;
    if (this.#firsts.length > MAX_JUMPS)
      return (from) => {
        for (let at = from; at < text.length; at++) if (next.has(text.charCodeAt(at))) return at;
        return -1;
      };
    const ahead = this.#firsts.map((first) => text.indexOf(first));
    return (from) => {
      let nearest = -1;
      for (let i = 0; i < ahead.length; i++) {
        if (ahead[i] >= 0 && ahead[i] < from) ahead[i] = text.indexOf(this.#firsts[i], from);
        if (ahead[i] >= 0 && (nearest < 0 || ahead[i] < nearest)) nearest = ahead[i];
      }
      return nearest;
    };
  }
}

function standsAlone(text: string, start: number, end: number): boolean {
  const pair = start >= 2 && text.codePointAt(start - 2)! > 0xffff;
  const before = text.slice(Math.max(0, start - (pair ? 2 : 1)), start);
  return !wordCharacter.test(before) && !wordCharacter.test(text.slice(end, end + 2));
}

function spaceStart(text: string, end: number): number {
  let at = end;
  while (at > 0 && whiteSpace.test(text[at - 1])) at--;
  return at;
}

function spaceEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && whiteSpace.test(text[at])) at++;
  return at;
}
