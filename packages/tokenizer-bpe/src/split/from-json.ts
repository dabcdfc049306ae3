import { invalid, printable, TokenizerError } from "../error.ts";
import { MAX_PIPELINE_DEPTH } from "../limits.ts";
import { charEdits } from "../normalize/unicode.ts";
import { byteToChar } from "../text/byte-alphabet.ts";
import { booleanOf, type JsonNode, listOf, nodeOf, stringOf } from "../text/json-node.ts";
import { findRegex, readPattern } from "../text/pattern.ts";
import { encodeUtf8 } from "../text/utf8.ts";
import type { Behaviour } from "./cut.ts";
import { digitsThen } from "./digit-scanner.ts";
import { GPT2_PATTERN, gpt2Scanner } from "./gpt2-scanner.ts";
import { knownScanner } from "./known-patterns.ts";
import { translateRegex } from "./regex.ts";
import type { Scanner } from "./scanner.ts";
import { metaspace, prefixSpace, type Stage, splitAt } from "./stage.ts";

/** How text becomes pre-tokens: stages one after another, then, where the pattern is a known one, a scanner. */
export interface Cutter {
  readonly stages: readonly Stage[];
  readonly scanner: Scanner | undefined;
  /** A stage asks whether its piece begins the text, which a normalizer that takes away what stood there changes. */
  readonly asksForFirst?: boolean;
  /** The last step writes bytes in GPT-2's alphabet; a byte-level model does that itself, faster. */
  readonly byteLevel: boolean;
}

export interface CutterOptions {
  /** The model reads bytes itself. */
  readonly byteLevelModel: boolean;
  /** Off, every pattern runs as a regular expression: slower, and what the scanners are tested against. */
  readonly scanners?: boolean;
}

/** Reads a tokenizer.json's `pre_tokenizer`. */
export function readCutter(value: unknown, options: CutterOptions): Cutter {
  const nodes = flatten(value, 0);
  const last = nodes.at(-1);
  const asksForFirst = nodes.some((node) => node.type === "Metaspace" && node.prepend_scheme === "first");
  const byteLevel = options.byteLevelModel && last?.type === "ByteLevel";
  const fast = options.scanners === false ? undefined : scannerOf(nodes);
  if (byteLevel && fast !== undefined)
    return {
      stages: nodes.slice(0, -fast.covers).flatMap(stagesOf).concat(fast.before),
      scanner: fast.scanner,
      asksForFirst,
      byteLevel,
    };
  const stages = nodes.slice(0, byteLevel ? -1 : undefined).flatMap(stagesOf);
  if (byteLevel && last !== undefined) stages.push(...byteLevelCuts(last));
  return { stages, scanner: undefined, asksForFirst, byteLevel };
}

interface Fast {
  readonly scanner: Scanner;
  readonly before: readonly Stage[];
  /** How many of the last steps it stands for. */
  readonly covers: number;
}

/** The scanner for the last steps, if they are of a published shape. */
function scannerOf(nodes: readonly JsonNode[]): Fast | undefined {
  const last = nodes.at(-1);
  if (last?.type !== "ByteLevel") return undefined;
  const previous = nodes.at(-2);
  const prefix = booleanOf(last, "add_prefix_space", true);
  if (booleanOf(last, "use_regex", true)) {
    if (previous?.type === "Digits" && !prefix)
      return {
        scanner: digitsThen(booleanOf(previous, "individual_digits", false), gpt2Scanner),
        before: [],
        covers: 2,
      };
    return { scanner: gpt2Scanner, before: prefix ? [prefixSpace] : [], covers: 1 };
  }
  if (prefix || previous?.type !== "Split" || previous.behavior !== "Isolated" || previous.invert === true)
    return undefined;
  const { regex } = readPattern(previous);
  const scanner = regex === undefined ? undefined : knownScanner(regex);
  return scanner === undefined ? undefined : { scanner, before: [], covers: 2 };
}

function flatten(value: unknown, depth: number): JsonNode[] {
  if (value === null || value === undefined) return [];
  if (depth > MAX_PIPELINE_DEPTH) throw invalid(`pre_tokenizer nests more than ${MAX_PIPELINE_DEPTH} deep`);
  const node = nodeOf(value, "pre_tokenizer");
  if (stringOf(node, "type") !== "Sequence") return [node];
  return listOf(node.pretokenizers, "pretokenizers").flatMap((one) => flatten(one, depth + 1));
}

function stagesOf(node: JsonNode): Stage[] {
  const type = stringOf(node, "type");
  const make = Object.hasOwn(preTokenizers, type) ? preTokenizers[type] : undefined;
  if (make === undefined) throw new TokenizerError("unsupported", `unknown pre_tokenizer ${printable(type)}`);
  return make(node);
}

const gpt2 = splitAt(findRegex(translateRegex(GPT2_PATTERN, "oniguruma")), "Isolated");
const punctuation = /[!-/:-@[-`{-~\p{P}]/gu;
const whiteSpace = /\p{White_Space}+/gu;
/** `\w+|[^\w\s]+` as Rust reads it: there the joiners that Oniguruma leaves out belong to words. */
const words =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

const preTokenizers: Readonly<Record<string, (node: JsonNode) => Stage[]>> = {
  ByteLevel: (node) => [...byteLevelCuts(node), writeBytes],
  Split(node) {
    const { find } = readPattern(node);
    return [splitAt(find, behaviourOf(node, "Isolated"), booleanOf(node, "invert", false))];
  },
  Digits: (node) => [
    splitAt(findRegex(/\p{N}/gu), booleanOf(node, "individual_digits", false) ? "Isolated" : "Contiguous"),
  ],
  Punctuation: (node) => [splitAt(findRegex(punctuation), behaviourOf(node, "Isolated"))],
  Whitespace: () => [splitAt(findRegex(words), "Removed", true)],
  WhitespaceSplit: () => [splitAt(findRegex(whiteSpace), "Removed")],
  BertPreTokenizer: () => [splitAt(findRegex(whiteSpace), "Removed"), splitAt(findRegex(punctuation), "Isolated")],
  CharDelimiterSplit(node) {
    const delimiter = stringOf(node, "delimiter");
    return [splitAt(readPattern({ type: "CharDelimiterSplit", pattern: delimiter }).find, "Removed")];
  },
  Metaspace(node) {
    const scheme = node.prepend_scheme ?? (booleanOf(node, "add_prefix_space", true) ? "always" : "never");
    if (scheme !== "always" && scheme !== "first" && scheme !== "never")
      throw invalid(`Metaspace has an unknown prepend_scheme ${printable(String(scheme))}`);
    const split = booleanOf(node, "split", true);
    return [metaspace({ replacement: stringOf(node, "replacement", "▁"), prepend: scheme, split })];
  },
};

function byteLevelCuts(node: JsonNode): Stage[] {
  const stages: Stage[] = [];
  if (booleanOf(node, "add_prefix_space", true)) stages.push(prefixSpace);
  if (booleanOf(node, "use_regex", true)) stages.push(gpt2);
  return stages;
}

const writeBytes: Stage = (piece) => [
  piece.edit(charEdits(piece.text, (char) => Array.from(encodeUtf8(char), (byte) => byteToChar[byte]).join(""))),
];

const behaviours: readonly string[] = ["Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext"];

function behaviourOf(node: JsonNode, fallback: Behaviour): Behaviour {
  const given = stringOf(node, "behavior", fallback);
  // Some published files write it in snake case.
  const name = given.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (!behaviours.includes(name)) throw invalid(`unknown behavior ${printable(given)}`);
  return name as Behaviour;
}
