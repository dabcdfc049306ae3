import { type AddedToken, readAddedToken } from "./added-tokens.ts";
import { isNode, type JsonNode } from "./text/json-node.ts";

/** Which tokens play which part, as the files beside the vocabulary say. */
export interface SpecialTokens {
  readonly bos?: string | undefined;
  readonly eos?: string | undefined;
  readonly pad?: string | undefined;
  readonly unk?: string | undefined;
  /** Every named token as chat templates see it: `bos_token`, `eos_token`, `additional_special_tokens` … */
  readonly named: Readonly<Record<string, string | readonly string[]>>;
  readonly modelMaxLength?: number | undefined;
}

const names = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/** Reads the parts out of tokenizer_config.json and special_tokens_map.json; the former wins, as in transformers. */
export function readSpecialTokens(config: JsonNode, map: JsonNode): SpecialTokens {
  const named: Record<string, string | readonly string[]> = {};
  for (const source of [map, config]) {
    for (const name of names) {
      const content = contentOf(source[name]);
      if (content !== undefined) named[name] = content;
      // A config that says null takes back what the map says.
      else if (source[name] === null) delete named[name];
    }
    const additional = source.additional_special_tokens;
    if (Array.isArray(additional))
      named.additional_special_tokens = additional.map(contentOf).filter((content) => content !== undefined);
  }
  const length = config.model_max_length;
  const text = (name: string) => (typeof named[name] === "string" ? named[name] : undefined);
  return {
    named,
    bos: text("bos_token"),
    eos: text("eos_token"),
    pad: text("pad_token"),
    unk: text("unk_token"),
    // Without a limit, transformers writes 10^30.
    modelMaxLength: typeof length === "number" && length > 0 && length < 1e15 ? length : undefined,
  };
}

function contentOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return isNode(value) && typeof value.content === "string" ? value.content : undefined;
}

/** The tokens of `added_tokens_decoder`, by their text. */
export function declaredTokens(config: JsonNode): ReadonlyMap<string, AddedToken> {
  const decoder = isNode(config.added_tokens_decoder) ? config.added_tokens_decoder : {};
  const tokens = Object.entries(decoder).flatMap(([id, node]) =>
    isNode(node) && /^\d{1,9}$/.test(id) ? [readAddedToken(node, Number(id))] : [],
  );
  return new Map(tokens.map((token) => [token.content, token]));
}

/**
 * Tokens that only the files beside the vocabulary know (`added_tokens_decoder`, added_tokens.json, the named ones), for
 * vocabularies that come without their own list. Named ones without an id are looked up in the vocabulary.
 */
export function addedTokensBeside(
  config: JsonNode,
  added: JsonNode,
  special: SpecialTokens,
  idOf: (content: string) => number,
): AddedToken[] {
  const found = new Map(declaredTokens(config));
  const namedContents = new Set(Object.values(special.named).flat());
  for (const [content, id] of Object.entries(added))
    if (!found.has(content) && typeof id === "number" && Number.isInteger(id) && id >= 0)
      found.set(content, readAddedToken({ content, special: namedContents.has(content), normalized: false }, id));
  for (const content of namedContents) {
    const id = found.has(content) ? -1 : idOf(content);
    if (id >= 0) found.set(content, readAddedToken({ content, special: true }, id));
  }
  return [...found.values()];
}
