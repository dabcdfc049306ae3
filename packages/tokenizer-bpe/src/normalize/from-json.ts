import { invalid, printable, TokenizerError } from "../error.ts";
import { MAX_PIPELINE_DEPTH } from "../limits.ts";
import { prefixEdit } from "../text/aligned.ts";
import { byteToChar } from "../text/byte-alphabet.ts";
import { booleanOf, type JsonNode, listOf, nodeOf, stringOf } from "../text/json-node.ts";
import { readPattern } from "../text/pattern.ts";
import { encodeUtf8 } from "../text/utf8.ts";
import { bertSteps } from "./bert.ts";
import { charsmapNormalizer } from "./charsmap.ts";
import type { Normalizer } from "./normalizer.ts";
import { charEdits, lowercase, nmt, stripAccents, unicodeForm } from "./unicode.ts";

/** The steps of a tokenizer.json's `normalizer`, in order. */
export function readNormalizers(value: unknown, depth = 0): Normalizer[] {
  if (value === null || value === undefined) return [];
  if (depth > MAX_PIPELINE_DEPTH) throw invalid(`normalizer nests more than ${MAX_PIPELINE_DEPTH} deep`);
  const node = nodeOf(value, "normalizer");
  const type = stringOf(node, "type");
  if (type === "Sequence")
    return listOf(node.normalizers, "normalizers").flatMap((one) => readNormalizers(one, depth + 1));
  const make = Object.hasOwn(normalizers, type) ? normalizers[type] : undefined;
  if (make === undefined) throw new TokenizerError("unsupported", `unknown normalizer ${printable(type)}`);
  return make(node);
}

const normalizers: Readonly<Record<string, (node: JsonNode) => Normalizer[]>> = {
  NFC: () => [unicodeForm("NFC")],
  NFD: () => [unicodeForm("NFD")],
  NFKC: () => [unicodeForm("NFKC")],
  NFKD: () => [unicodeForm("NFKD")],
  Lowercase: () => [lowercase],
  StripAccents: () => [stripAccents],
  Nmt: () => [nmt],
  Prepend: (node) => [prepend(stringOf(node, "prepend"))],
  Strip: (node) => [strip(booleanOf(node, "strip_left", true), booleanOf(node, "strip_right", true))],
  Replace: replace,
  ByteLevel: () => [byteLevel],
  Precompiled: (node) => [charsmapNormalizer(stringOf(node, "precompiled_charsmap"))],
  BertNormalizer(node) {
    const lower = booleanOf(node, "lowercase", true);
    return bertSteps({
      cleanText: booleanOf(node, "clean_text", true),
      handleChineseChars: booleanOf(node, "handle_chinese_chars", true),
      stripAccents: node.strip_accents === null ? lower : booleanOf(node, "strip_accents", lower),
      lowercase: lower,
    });
  },
};

function prepend(prefix: string): Normalizer {
  return {
    prefixes: true,
    apply: (text) => (text === "" ? "" : prefix + text),
    edits: (text) => (text === "" || prefix === "" ? [] : [prefixEdit(text, prefix)]),
  };
}

function strip(left: boolean, right: boolean): Normalizer {
  return {
    edits(text) {
      const start = left ? text.length - text.replace(/^\p{White_Space}+/u, "").length : 0;
      const rest = text.slice(start);
      const end = right ? start + trimEnd(rest).length : text.length;
      const edits = [];
      if (start > 0) edits.push({ start: 0, end: start, text: "" });
      if (end < text.length) edits.push({ start: end, end: text.length, text: "" });
      return edits;
    },
  };
}

const whiteSpace = /\p{White_Space}/u;

/** By hand, since `/\s+$/` looks at every run of spaces inside the text to its end. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && whiteSpace.test(text[end - 1])) end--;
  return text.slice(0, end);
}

function replace(node: JsonNode): Normalizer[] {
  const content = stringOf(node, "content");
  const { text: needle, find } = readPattern(node);
  const step: Normalizer = {
    edits: (text) => [...find(text)].map(([start, end]) => ({ start, end, text: content })),
  };
  if (needle !== undefined && needle !== "") step.apply = (text) => text.replaceAll(needle, () => content);
  return [step];
}

const byteLevel: Normalizer = {
  edits: (text) =>
    charEdits(text, (char) => {
      const bytes = encodeUtf8(char);
      return bytes.length === 1 ? byteToChar[bytes[0]] : Array.from(bytes, (byte) => byteToChar[byte]).join("");
    }),
};
