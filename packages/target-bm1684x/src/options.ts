import type { OptionTable } from "@llm/target";

/** How weights of linears are kept: in 16 bits, or in 8 or 4 with scales; activations are 16-bit always. */
export type Bm1684xMode = "F16" | "int8" | "int4";

/** Bits of a linear's weight, without its share of a group's scale and zero point. */
export const WEIGHT_BITS = { F16: 16, int8: 8, int4: 4 } as const satisfies Readonly<Record<Bm1684xMode, number>>;

/** Of the head's, where weights are codes: it decides which token it is, so 8 bits cost little there, and 4 show. */
export const HEAD_BITS = 8;

/** What a user can say of a model on a BM1684X. */
export interface Bm1684xOptions {
  readonly mode: Bm1684xMode;
  /** The same, by the names that formats have for every target. */
  readonly format?: "fp16" | "int8" | "int4";
  readonly ctxLen: number;
  readonly qGroupSize: number;
  readonly numDevice: number;
  /** How the chips share it; settled by the planner unless said. */
  readonly mesh?: string;
  readonly name: string;
  readonly device: readonly number[];
  readonly simulate: boolean;
  readonly batchSize: number;
}

/** Tokens of a sequence unless said, where the model takes as many. */
const DEFAULT_LENGTH = 512;

export const bm1684xOptions: OptionTable<Bm1684xOptions> = {
  mode: {
    kind: "choice",
    doc: "How weights of linears are kept: F16, or in 8 or 4 bits (W8F16, W4F16).",
    default: "F16",
    choices: ["F16", "int8", "int4"],
    choiceAlias: { fp16: "F16", w8f16: "int8", w4f16: "int4" },
    shapes: true,
  },
  format: {
    kind: "choice",
    doc: "The same as --mode, by the names that other targets have: fp16, int8, int4.",
    choices: ["fp16", "int8", "int4"],
    choiceAlias: { f16: "fp16", w8f16: "int8", w4f16: "int4" },
    shapes: false,
    says: "mode",
  },
  ctxLen: {
    kind: "number",
    whole: true,
    doc: "Most tokens of a sequence, prompt included; the prompt is computed at this length. Unless said, not more than the model takes.",
    default: DEFAULT_LENGTH,
    min: 2,
    alias: ["seq-length"],
    shapes: true,
  },
  qGroupSize: {
    kind: "number",
    whole: true,
    doc: "How many weights of an output share a scale, in 4 and 8 bits: 32, 64 or 128.",
    default: 64,
    min: 32,
    max: 128,
    shapes: true,
  },
  numDevice: {
    kind: "number",
    whole: true,
    doc: "How many chips share the model: 1, 2, 4 or 8.",
    default: 1,
    min: 1,
    max: 8,
    shapes: true,
    mayDiffer: true,
  },
  mesh: {
    kind: "string",
    doc: "How they share it: 1x4, four chips that have a slice of every layer; 1x1x4, four that have some layers each; 2x4, two copies of four, as one model with the slots of both. Whichever makes more tokens a second unless said. For `plan` also auto.",
    shapes: true,
    mayDiffer: true,
  },
  name: {
    kind: "string",
    doc: "The model part of the bmodel's name, such as wizardcoder-15B; the model's own name unless said.",
    default: "",
    shapes: true,
  },
  device: {
    kind: "list",
    whole: true,
    min: 0,
    doc: "Which chips run it, such as 0,1,2,3.",
    default: [0],
    alias: ["d", "device-id"],
    shapes: false,
  },
  simulate: {
    kind: "boolean",
    doc: "Run on the simulator that comes with the vendor's compiler: right numbers, no card, for small models.",
    default: false,
    shapes: false,
  },
  batchSize: {
    kind: "number",
    whole: true,
    doc: "How many sequences keep a cache on the device; they take turns.",
    default: 1,
    min: 1,
    max: 64,
    shapes: false,
  },
};
