import { type OptionTable, TargetError } from "@llm/target";
import { codecOf, FORMATS, formatName } from "@llm/tensor";

/** How weights are kept by kernels of their own. */
export type CpuFormat = "fp32" | "int8" | "int4";

/** What a user can say of a run on the CPU. */
export interface CpuOptions {
  /** "auto", one of `CpuFormat`, or any of tensor's table, whose numerics are emulated in float32. */
  readonly format: string;
  /** Emulates int8 and int4 too, as the table has them, instead of taking the kernels for packed weights. */
  readonly emulate?: boolean;
  /** Weights that share a scale in an emulated format; 0: as the format has it. */
  readonly qGroupSize?: number;
  /** NAME=FORMAT[:GROUP], `*` for any part of a name: weights that get another format, emulated; the first match decides. */
  readonly formatRules?: readonly string[];
  /** What keys and values are rounded to. */
  readonly kvFormat?: string;
  /** What every result between the embedding and the logits is rounded to. */
  readonly activations?: string;
  /** How many sequences are held at once. */
  readonly batchSize: number;
  /** Most tokens of a sequence; 0: as many as the model takes. */
  readonly ctxLen: number;
  /** 0: one for each core that this process may use. */
  readonly threads: number;
  /** DPxMP or DPxMPxPP; an artefact's own unless said. */
  readonly mesh?: string;
  /** Whether adapters can be loaded, and chosen by each row. */
  readonly adapters?: boolean;
}

export const cpuOptions: OptionTable<CpuOptions> = {
  format: {
    kind: "string",
    doc: "How weights are kept: auto, which is fp32 where that fits memory and is quick, else int4, or int8 of weights that are quantised otherwise already; fp32; int8 and int4 with a scale for every 32 of them. Any other number format (mxfp6, mxfp4, bf16, q4_0 …; docs/formats.md lists them) is emulated: rounded to, and computed with in float32.",
    default: "auto",
    numberFormat: true,
    shapes: true,
  },
  emulate: {
    kind: "boolean",
    doc: "Emulate int8 and int4 too, instead of taking the kernels for packed weights.",
    default: false,
    shapes: true,
  },
  qGroupSize: {
    kind: "number",
    whole: true,
    min: 0,
    doc: "Weights that share a scale, for an emulated format that has a choice; 0: its own.",
    default: 0,
    shapes: true,
  },
  formatRules: {
    kind: "list",
    doc: "Other formats for weights by name, emulated: NAME=FORMAT[:GROUP], `*` for any part of a name, fp32 to leave them; the first match decides, --format is for the rest. To keep the head and the first block higher: --format mxfp4 --format-rules 'lm_head.*=fp32,*.layers.0.*=int8:64'.",
    shapes: true,
  },
  kvFormat: {
    kind: "string",
    doc: "Emulate a cache that keeps keys and values in this format: fp16, bf16, int8, mxint8, mxfp6, mxfp4.",
    default: "fp32",
    numberFormat: true,
    shapes: true,
  },
  activations: {
    kind: "choice",
    doc: "Emulate a device that keeps results in this format between its ops.",
    default: "fp32",
    choices: ["fp32", "fp16", "bf16"],
    shapes: true,
  },
  batchSize: {
    kind: "number",
    whole: true,
    doc: "How many sequences are held at once.",
    default: 1,
    min: 1,
    max: 4096,
    shapes: false,
  },
  ctxLen: {
    kind: "number",
    whole: true,
    doc: "Most tokens of a sequence, prompt included; 0: as many as the model takes. Memory is used as it fills.",
    default: 0,
    min: 0,
    shapes: false,
  },
  threads: {
    kind: "number",
    whole: true,
    doc: "Threads; 0: one for each core that this process may use; at most one for each processor.",
    default: 0,
    min: 0,
    shapes: false,
  },
  mesh: {
    kind: "string",
    doc: "Share the model between workers: DPxMP is DP copies, each over MP workers that have a part of every layer (2x2); DPxMPxPP also divides the layers into PP stages. For `plan` also auto.",
    shapes: true,
    mayDiffer: true,
  },
  adapters: {
    kind: "boolean",
    doc: "Make the model such that LoRA adapters can be loaded beside it and chosen by each request; a model made without computes nothing for them.",
    default: false,
    shapes: true,
  },
};

/** The options that decide how weights are kept. */
export type WeightOptions = Pick<CpuOptions, "format" | "emulate" | "formatRules">;

/** The kernel that keeps weights packed, in bits; undefined: they are floats, emulated ones too. Takes what was chosen. */
export function packedBits({ format, emulate = false, formatRules }: WeightOptions): number | undefined {
  if (format === "auto") throw new TargetError("option-invalid", "--format auto is to be decided for a model first");
  return emulate || (formatRules ?? []).length > 0 ? undefined : { int8: 8, int4: 4 }[format];
}

/** The most tokens of a sequence, of what was asked for and what a model takes. */
export function contextOf(wanted: number, most: number): number {
  if (wanted > most)
    throw new TargetError("option-invalid", `--ctx-len ${wanted}: this model takes at most ${most} tokens`);
  return wanted === 0 ? most : wanted;
}

/** Throws for a name that no number format has. */
export function checkFormat(flag: string, format: string | undefined): void {
  if (format === undefined || Object.hasOwn(FORMATS, formatName(format))) return;
  const names = ["auto", ...Object.keys(FORMATS)].join(", ");
  throw new TargetError("option-invalid", `${flag} is one of ${names} (mxfp6 is mxfp6_e2m3), not "${format}"`);
}

/** Throws for groups that an emulated format doesn't have; what stays float32 has no use for any. */
export function checkGroups(format: string, group: number): void {
  if (group === 0 || formatName(format) === "fp32") return;
  try {
    codecOf({ format, group });
  } catch (error) {
    throw new TargetError("option-invalid", `--q-group-size ${group}: ${(error as Error).message}`, { cause: error });
  }
}

/** Formats of a cache whose rounding ONNX's own ops can say. */
const CACHE_FORMATS = ["fp32", "fp16", "bf16", "int8", "mxint8", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp4"];

/** Throws for a format that no cache can be emulated in here. */
export function checkCacheFormat(format: string | undefined): void {
  if (format === undefined || CACHE_FORMATS.includes(formatName(format))) return;
  throw new TargetError("option-invalid", `--kv-format is one of ${CACHE_FORMATS.join(", ")}, not "${format}"`);
}
