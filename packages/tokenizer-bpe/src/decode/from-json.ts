import { invalid, printable, TokenizerError } from "../error.ts";
import { MAX_PIPELINE_DEPTH } from "../limits.ts";
import { booleanOf, integerOf, type JsonNode, listOf, nodeOf, stringOf } from "../text/json-node.ts";
import { readPattern } from "../text/pattern.ts";
import type { Decoder, DecodeStep } from "./decoder.ts";
import { bpeSuffix, byteFallback, byteLevel, fuse, metaspace, replace, strip, wordPiece } from "./steps.ts";

/** Reads a tokenizer.json's `decoder`; without one, tokens are joined with spaces. */
export function readDecoder(value: unknown): Decoder {
  if (value === null || value === undefined) return { byteLevel: false, decode: (tokens) => tokens.join(" ") };
  const steps = stepsOf(value, 0);
  const only = steps.length === 1 && steps[0] === byteLevel;
  return { byteLevel: only, decode: (tokens) => steps.reduce((parts, step) => step(parts), [...tokens]).join("") };
}

function stepsOf(value: unknown, depth: number): DecodeStep[] {
  if (depth > MAX_PIPELINE_DEPTH) throw invalid(`decoder nests more than ${MAX_PIPELINE_DEPTH} deep`);
  const node = nodeOf(value, "decoder");
  const type = stringOf(node, "type");
  if (type === "Sequence") return listOf(node.decoders, "decoders").flatMap((one) => stepsOf(one, depth + 1));
  const make = Object.hasOwn(decoders, type) ? decoders[type] : undefined;
  if (make === undefined) throw new TokenizerError("unsupported", `unknown decoder ${printable(type)}`);
  return [make(node)];
}

const decoders: Readonly<Record<string, (node: JsonNode) => DecodeStep>> = {
  ByteLevel: () => byteLevel,
  ByteFallback: () => byteFallback,
  Fuse: () => fuse,
  Strip(node) {
    const content = stringOf(node, "content", " ");
    if (content === "") throw invalid("Strip takes away nothing");
    return strip(content, integerOf(node, "start", 0), integerOf(node, "stop", 0));
  },
  Replace: (node) => replace(readPattern(node).find, stringOf(node, "content")),
  BPEDecoder: (node) => bpeSuffix(stringOf(node, "suffix", "</w>")),
  WordPiece: (node) => wordPiece(stringOf(node, "prefix", "##"), booleanOf(node, "cleanup", true)),
  Metaspace(node) {
    const scheme = node.prepend_scheme ?? (booleanOf(node, "add_prefix_space", true) ? "always" : "never");
    return metaspace(stringOf(node, "replacement", "▁"), scheme !== "never");
  },
};
