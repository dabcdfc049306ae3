import { TokenizerError } from "./error.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** How a model family writes down what is to be filled in. */
export interface Infill {
  readonly family: string;
  /** The tokens before the prefix, before the suffix, and where the answer begins: after the last of the two, where it has none. */
  readonly prefix: string;
  readonly suffix: string;
  readonly middle: string | undefined;
  /** The order the family was mostly trained with: prefix, suffix, middle, or the suffix first. */
  readonly order: InfillOrder;
  /** What ends the answer, besides the end-of-text token: its own tokens for that, and all of these marks, which no text has. */
  readonly stop: readonly string[];
}

export type InfillOrder = "psm" | "spm";

export interface InfillRequest {
  readonly prefix: string;
  readonly suffix: string;
  readonly order?: InfillOrder;
  /** Add the beginning-of-text token where the tokenizer does so. True unless said. */
  readonly addSpecialTokens?: boolean;
}

/** A family, and the tokens besides its marks that only it has. */
interface Family extends Infill {
  readonly besides: readonly string[];
}

const families: readonly Family[] = [
  infill("starcoder", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "psm", ["<fim_pad>"]),
  infill("santacoder", "<fim-prefix>", "<fim-suffix>", "<fim-middle>", "psm", ["<fim-pad>"]),
  infill("codellama", "▁<PRE>", "▁<SUF>", "▁<MID>", "psm", ["▁<EOT>"]),
  infill("deepseek-coder", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "psm", []),
  // Marks as Qwen's, known by what goes between files.
  infill(
    "codegemma",
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "psm",
    ["<|file_separator|>"],
    ["<|file_separator|>"],
  ),
  infill("qwen-coder", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "psm", [
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
  ]),
  infill("codestral", "[PREFIX]", "[SUFFIX]", undefined, "spm", ["[MIDDLE]"]),
];

function infill(
  family: string,
  prefix: string,
  suffix: string,
  middle: string | undefined,
  order: InfillOrder,
  ends: readonly string[],
  besides: readonly string[] = [],
): Family {
  const marks = [prefix, suffix, ...(middle === undefined ? [] : [middle])];
  return { family, prefix, suffix, middle, order, stop: [...ends, ...marks], besides };
}

/** The family whose tokens a vocabulary has. */
export function infillOf(idOf: (token: string) => number | undefined): Infill | undefined {
  return families.find(({ prefix, suffix, middle, besides }) =>
    [prefix, suffix, middle, ...besides].every((token) => token === undefined || idOf(token) !== undefined),
  );
}

/** The ids of a fill-in-the-middle prompt. Control tokens inside the user's texts stay text. */
export function renderInfill(tokenizer: Tokenizer, request: InfillRequest): Int32Array {
  const { infill } = tokenizer;
  if (infill === undefined)
    throw new TokenizerError(
      "infill-unsupported",
      "this model has no tokens for filling in between a prefix and a suffix",
    );
  const { order = infill.order, addSpecialTokens = true } = request;
  if (infill.middle === undefined && order !== infill.order)
    throw new TokenizerError("option-invalid", `${infill.family} fills in by order "${infill.order}" alone`);
  const { before } = tokenizer.added;
  const id = (token: string): number => tokenizer.tokenToId(token)!;
  const prefix = tokenizer.encode(request.prefix, { addSpecialTokens: false, parseSpecial: false });
  // The suffix goes on in the middle of a text: it has no implicit space before its first word.
  const suffix = tokenizer.encodeContinuation(request.suffix);
  const marked = { prefix: [id(infill.prefix), ...prefix], suffix: [id(infill.suffix), ...suffix] };
  const body =
    infill.middle === undefined
      ? [...marked.suffix, ...marked.prefix]
      : order === "spm"
        ? [id(infill.prefix), ...marked.suffix, id(infill.middle), ...prefix]
        : [...marked.prefix, ...marked.suffix, id(infill.middle)];
  return Int32Array.from([...(addSpecialTokens ? before : []), ...body]);
}
