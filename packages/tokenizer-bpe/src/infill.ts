import { TokenizerError } from "./error.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** How a model family writes down what is to be filled in. */
export interface Infill {
  readonly family: string;
  /** The tokens before the prefix, before the suffix, and before the answer; some families have none at one of these places. */
  readonly prefix: readonly string[];
  readonly suffix: readonly string[];
  readonly middle: readonly string[];
  /** The order the family was mostly trained with: prefix, suffix, middle, or the suffix first. Without marks at all three, it is its only one. */
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
  // Before StarCoder's: CodeGen 2.5 was never trained with those, though its vocabulary has them.
  {
    family: "codegen",
    prefix: [],
    suffix: ["<mask_1>"],
    middle: ["<|endoftext|>", "<sep>", "<mask_1>"],
    order: "psm",
    stop: ["<eom>", "<sep>", "<mask_1>"],
    besides: ["<eom>"],
  },
  infill("starcoder", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", ["<fim_pad>"]),
  infill("santacoder", "<fim-prefix>", "<fim-suffix>", "<fim-middle>", ["<fim-pad>"]),
  infill("codellama", "▁<PRE>", "▁<SUF>", "▁<MID>", ["▁<EOT>"]),
  infill("deepseek-coder", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", []),
  // Marks as Qwen's, known by what goes between files.
  infill(
    "codegemma",
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    ["<|file_separator|>"],
    ["<|file_separator|>"],
  ),
  infill("qwen-coder", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", [
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
  ]),
  {
    family: "codestral",
    prefix: ["[PREFIX]"],
    suffix: ["[SUFFIX]"],
    middle: [],
    order: "spm",
    stop: ["[MIDDLE]", "[PREFIX]", "[SUFFIX]"],
    besides: [],
  },
];

function infill(
  family: string,
  prefix: string,
  suffix: string,
  middle: string,
  ends: readonly string[],
  besides: readonly string[] = [],
): Family {
  const marks = { prefix: [prefix], suffix: [suffix], middle: [middle] };
  return { family, ...marks, order: "psm", stop: [...ends, prefix, suffix, middle], besides };
}

/** The family whose tokens a vocabulary has. */
export function infillOf(idOf: (token: string) => number | undefined): Infill | undefined {
  return families.find(({ prefix, suffix, middle, besides }) =>
    [...prefix, ...suffix, ...middle, ...besides].every((token) => idOf(token) !== undefined),
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
  const { prefix, suffix, middle } = infill;
  if (order !== infill.order && [prefix, suffix, middle].some(({ length }) => length === 0))
    throw new TokenizerError("option-invalid", `${infill.family} fills in by order "${infill.order}" alone`);
  const { before } = tokenizer.added;
  const ids = (tokens: readonly string[]): number[] => tokens.map((token) => tokenizer.tokenToId(token)!);
  const said = tokenizer.encode(request.prefix, { addSpecialTokens: false, parseSpecial: false });
  // The suffix goes on in the middle of a text: it has no implicit space before its first word.
  const marked = [...ids(suffix), ...tokenizer.encodeContinuation(request.suffix)];
  const body =
    order === "psm"
      ? [...ids(prefix), ...said, ...marked, ...ids(middle)]
      : middle.length === 0
        ? [...marked, ...ids(prefix), ...said]
        : [...ids(prefix), ...marked, ...ids(middle), ...said];
  return Int32Array.from([...(addSpecialTokens ? before : []), ...body]);
}
