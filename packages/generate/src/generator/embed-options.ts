import { GenerateError } from "../error.ts";
import type { EmbedOptions, Pooling } from "../reading/read.ts";
import { type GenerateOptions, readOptions, type TransformersOptions } from "./options.ts";

/** Options of generating that say how a text is read. */
const READING = [
  "adapter",
  "priority",
  "signal",
  "inputLen",
  "truncatePrompt",
  "addSpecialTokens",
] as const satisfies readonly (keyof GenerateOptions)[];

type Reading = Pick<GenerateOptions, (typeof READING)[number]>;

/** How texts become vectors, and how they are read for that. */
export type TextEmbedOptions = Omit<EmbedOptions, "adapter"> & Reading & { readonly normalize?: boolean };

const POOLINGS: readonly unknown[] = ["mean", "last"] satisfies Pooling[];

/** The two halves of `embed`'s options; what it doesn't know is refused by name. */
export function readEmbedOptions(given: TextEmbedOptions | TransformersOptions): {
  readonly pooled: Required<Pick<EmbedOptions, "pooling" | "normalise">>;
  readonly reading: Reading;
} {
  const { pooling = "mean", normalize = true, normalise = normalize, ...rest } = given as TextEmbedOptions;
  if (!POOLINGS.includes(pooling))
    throw new GenerateError("option-invalid", `pooling is ${String(pooling)}, but must be ${POOLINGS.join(" or ")}`);
  if (typeof normalise !== "boolean")
    throw new GenerateError("option-invalid", `normalise is ${String(normalise)}, but must be true or false`);
  const reading = readOptions(rest);
  const other = Object.keys(reading).find((name) => !READING.some((known) => known === name));
  if (other !== undefined) throw new GenerateError("option-invalid", `a text that becomes a vector takes no ${other}`);
  return { pooled: { pooling, normalise }, reading };
}
