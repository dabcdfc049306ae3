import { invalid, printable, TokenizerError } from "./error.ts";
import { MAX_PIPELINE_DEPTH, MAX_TOKEN_ID } from "./limits.ts";
import { booleanOf, isNode, type JsonNode, listOf, nodeOf, stringOf } from "./text/json-node.ts";

/** What is added around a text's ids. */
export interface PostProcessor {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** How offsets leave out the white space at a token's ends; several times over, if several processors do. */
  readonly trims: readonly OffsetTrim[];
}

export interface OffsetTrim {
  /** A space before the first word was put there, so that it has no place to leave out. */
  readonly prefixSpace: boolean;
}

export const noPostProcessing: PostProcessor = { before: [], after: [], trims: [] };

/** Reads a tokenizer.json's `post_processor`, as far as it concerns one text (pairs are for classifiers). */
export function readPostProcessor(value: unknown, depth = 0): PostProcessor {
  if (value === null || value === undefined) return noPostProcessing;
  if (depth > MAX_PIPELINE_DEPTH) throw invalid(`post_processor nests more than ${MAX_PIPELINE_DEPTH} deep`);
  const node = nodeOf(value, "post_processor");
  const type = stringOf(node, "type");
  switch (type) {
    case "ByteLevel":
      return { ...noPostProcessing, trims: trimsOf(node) };
    case "TemplateProcessing":
      return { ...template(node), trims: [] };
    case "RobertaProcessing":
    case "BertProcessing":
      return {
        before: [idOfPair(node, "cls")],
        after: [idOfPair(node, "sep")],
        trims: type === "RobertaProcessing" ? trimsOf(node) : [],
      };
    case "Sequence":
      return listOf(node.processors, "processors")
        .map((one) => readPostProcessor(one, depth + 1))
        .reduce(joined, noPostProcessing);
    default:
      throw new TokenizerError("unsupported", `unknown post_processor ${printable(type)}`);
  }
}

/** The Rust library adds a second processor's tokens around each part of what the first one made; no model does that. */
function joined(one: PostProcessor, other: PostProcessor): PostProcessor {
  if (adds(one) && adds(other)) throw new TokenizerError("unsupported", "several post_processors that add tokens");
  const adding = adds(one) ? one : other;
  return { ...adding, trims: [...one.trims, ...other.trims] };
}

function adds(processor: PostProcessor): boolean {
  return processor.before.length > 0 || processor.after.length > 0;
}

function trimsOf(node: JsonNode): OffsetTrim[] {
  return booleanOf(node, "trim_offsets", true) ? [{ prefixSpace: booleanOf(node, "add_prefix_space", true) }] : [];
}

function template(node: JsonNode): { before: number[]; after: number[] } {
  const special = nodeOf(node.special_tokens ?? {}, "special_tokens");
  const before: number[] = [];
  const after: number[] = [];
  let seen = false;
  for (const piece of listOf(node.single, "the template")) {
    if (isNode(piece) && isNode(piece.Sequence)) {
      if (seen) throw new TokenizerError("unsupported", "a template that repeats its text");
      seen = true;
    } else if (isNode(piece) && isNode(piece.SpecialToken)) {
      const name = stringOf(piece.SpecialToken, "id");
      const token = Object.hasOwn(special, name) ? special[name] : undefined;
      if (!isNode(token)) throw invalid(`the template uses ${printable(name)}, which special_tokens doesn't have`);
      (seen ? after : before).push(...listOf(token.ids, "ids").map(idOf));
    } else throw invalid("the template has a part that is neither text nor token");
  }
  return { before, after };
}

function idOfPair(node: JsonNode, key: string): number {
  return idOf(listOf(node[key], key)[1]);
}

function idOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_TOKEN_ID)
    throw invalid("post_processor has an id that is not a whole number from 0 on");
  return value;
}
