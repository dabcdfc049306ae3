import { TensorError } from "../error.ts";
import type { EncodeSpec } from "../weight-expr.ts";
import { BM1684X_FORMATS } from "./bm1684x.ts";
import type { Codec, FormatEntry } from "./codec.ts";
import { GGUF_FORMATS } from "./gguf/entries.ts";
import { INTEGER_FORMATS } from "./integer.ts";
import { LINEAR_FORMATS } from "./linear.ts";
import { MX_FORMATS } from "./mx.ts";
import { PLAIN_FORMATS } from "./plain.ts";

export type { Codec, FormatEntry, FormatOptions, Parts, PartType } from "./codec.ts";

const ENTRIES: readonly FormatEntry[] = [
  ...PLAIN_FORMATS,
  ...INTEGER_FORMATS,
  ...MX_FORMATS,
  ...LINEAR_FORMATS,
  ...BM1684X_FORMATS,
  ...GGUF_FORMATS,
];

/** Every number format by name. */
export const FORMATS: Readonly<Record<string, FormatEntry>> = Object.fromEntries(
  ENTRIES.map((entry) => [entry.name, entry]),
);

/** Other names that people have for the same thing. Vendors who say MXFP6 mean E2M3. */
const ALIASES: Readonly<Record<string, string>> = {
  f32: "fp32",
  f16: "fp16",
  mxfp6: "mxfp6_e2m3",
  mx6: "mxfp6_e2m3",
  w8f16: "bm1684x_w8",
  w4f16: "bm1684x_w4",
};

const NAMES = new Map([...ENTRIES.map(({ name }) => [name.toLowerCase(), name] as const), ...Object.entries(ALIASES)]);

/** The name that the table has for a format, however people write it: INT8, F16, q4_k; what it doesn't know stays as it is. */
export function formatName(format: string): string {
  return NAMES.get(format.toLowerCase()) ?? format;
}

/** The codec that a spec names, its options checked. */
export function codecOf({ format, group, symmetric }: EncodeSpec): Codec {
  const name = formatName(format);
  const entry = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (!entry)
    throw new TensorError("format-unknown", `no number format ${format}; there are ${Object.keys(FORMATS).join(", ")}`);
  if (group !== undefined && !entry.options.group?.includes(group))
    throw new TensorError(
      "format-unknown",
      entry.options.group
        ? `${format} has no groups of ${group}; it has ${entry.options.group.join(", ")}`
        : `${format} has no choice of groups`,
    );
  if (symmetric !== undefined && !entry.options.symmetric)
    throw new TensorError("format-unknown", `${format} has no choice of zero points`);
  return entry.make({ ...(group !== undefined && { group }), ...(symmetric !== undefined && { symmetric }) });
}

export * from "./rules.ts";
