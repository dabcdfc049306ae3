import { alphabetBytes } from "../text/byte-alphabet.ts";
import type { Finder } from "../text/pattern.ts";
import { decodeUtf8, encodeUtf8 } from "../text/utf8.ts";
import type { DecodeStep } from "./decoder.ts";

export const byteLevel: DecodeStep = (tokens) => {
  const parts = tokens.map((token) => alphabetBytes(token) ?? encodeUtf8(token));
  return [decodeUtf8(joinBytes(parts))];
};

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The byte that a token like `<0x0A>` stands for, or −1. */
export function fallbackByte(token: string): number {
  return /^<0x[0-9A-Fa-f]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : -1;
}

/** Runs of byte tokens become text; a run that isn't UTF-8 becomes one U+FFFD a byte. */
export const byteFallback: DecodeStep = (tokens) => {
  const out: string[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length === 0) return;
    try {
      out.push(strict.decode(Uint8Array.from(run)));
    } catch {
      for (const _ of run) out.push("\ufffd");
    }
    run = [];
  };
  for (const token of tokens) {
    const byte = fallbackByte(token);
    if (byte >= 0) run.push(byte);
    else {
      flush();
      out.push(token);
    }
  }
  flush();
  return out;
};

export const fuse: DecodeStep = (tokens) => [tokens.join("")];

export function metaspace(replacement: string, prepended: boolean): DecodeStep {
  return (tokens) => tokens.map((token, index) => token.replaceAll(replacement, index === 0 && prepended ? "" : " "));
}

export function strip(content: string, start: number, stop: number): DecodeStep {
  return (tokens) =>
    tokens.map((token) => {
      let from = 0;
      for (let i = 0; i < start && token.startsWith(content, from); i++) from += content.length;
      let to = token.length;
      for (let i = 0; i < stop && to - content.length >= from && token.endsWith(content, to); i++) to -= content.length;
      return token.slice(from, to);
    });
}

export function replace(find: Finder, content: string): DecodeStep {
  return (tokens) =>
    tokens.map((token) => {
      let out = "";
      let from = 0;
      for (const [start, end] of find(token)) {
        out += token.slice(from, start) + content;
        from = end;
      }
      return out + token.slice(from);
    });
}

export function bpeSuffix(suffix: string): DecodeStep {
  return (tokens) => tokens.map((token, index) => token.replaceAll(suffix, index === tokens.length - 1 ? "" : " "));
}

export function wordPiece(prefix: string, cleanup: boolean): DecodeStep {
  return (tokens) =>
    tokens.map((token, index) => {
      let text = token;
      if (index > 0) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      return cleanup ? cleanUp(text) : text;
    });
}

/** Takes out the spaces that splitting at punctuation put into English text. */
export function cleanUp(text: string): string {
  return text
    .replaceAll(" .", ".")
    .replaceAll(" ?", "?")
    .replaceAll(" !", "!")
    .replaceAll(" ,", ",")
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" do not", " don't")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}
