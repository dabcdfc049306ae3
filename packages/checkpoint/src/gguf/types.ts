import type { Format } from "@llm/tensor";

interface GgmlType {
  readonly name: string; // ggml's own
  readonly block: number; // values
  readonly bytes: number; // a block
  /** Absent: known, but can't be read. */
  readonly format?: Format;
}

/** ggml's tensor types by number. */
export const GGML_TYPES: ReadonlyMap<number, GgmlType> = new Map([
  [0, { name: "F32", block: 1, bytes: 4, format: "f32" }],
  [1, { name: "F16", block: 1, bytes: 2, format: "f16" }],
  [2, { name: "Q4_0", block: 32, bytes: 18, format: "q4_0" }],
  [3, { name: "Q4_1", block: 32, bytes: 20, format: "q4_1" }],
  [6, { name: "Q5_0", block: 32, bytes: 22, format: "q5_0" }],
  [7, { name: "Q5_1", block: 32, bytes: 24, format: "q5_1" }],
  [8, { name: "Q8_0", block: 32, bytes: 34, format: "q8_0" }],
  [9, { name: "Q8_1", block: 32, bytes: 40 }],
  [10, { name: "Q2_K", block: 256, bytes: 84, format: "q2_K" }],
  [11, { name: "Q3_K", block: 256, bytes: 110, format: "q3_K" }],
  [12, { name: "Q4_K", block: 256, bytes: 144, format: "q4_K" }],
  [13, { name: "Q5_K", block: 256, bytes: 176, format: "q5_K" }],
  [14, { name: "Q6_K", block: 256, bytes: 210, format: "q6_K" }],
  [15, { name: "Q8_K", block: 256, bytes: 292 }],
  [16, { name: "IQ2_XXS", block: 256, bytes: 66 }],
  [17, { name: "IQ2_XS", block: 256, bytes: 74 }],
  [18, { name: "IQ3_XXS", block: 256, bytes: 98 }],
  [19, { name: "IQ1_S", block: 256, bytes: 50 }],
  [20, { name: "IQ4_NL", block: 32, bytes: 18, format: "iq4_nl" }],
  [21, { name: "IQ3_S", block: 256, bytes: 110 }],
  [22, { name: "IQ2_S", block: 256, bytes: 82 }],
  [23, { name: "IQ4_XS", block: 256, bytes: 136, format: "iq4_xs" }],
  [24, { name: "I8", block: 1, bytes: 1, format: "i8" }],
  [25, { name: "I16", block: 1, bytes: 2, format: "i16" }],
  [26, { name: "I32", block: 1, bytes: 4, format: "i32" }],
  [27, { name: "I64", block: 1, bytes: 8, format: "i64" }],
  [28, { name: "F64", block: 1, bytes: 8, format: "f64" }],
  [29, { name: "IQ1_M", block: 256, bytes: 56 }],
  [30, { name: "BF16", block: 1, bytes: 2, format: "bf16" }],
  // For some months of 2024 rows were stored as kernels want them; now those who load Q4_0 and IQ4_NL do that.
  ...[31, 32, 33, 36, 37, 38].map((type, i): [number, GgmlType] => [
    type,
    { name: `${i < 3 ? "Q4_0" : "IQ4_NL"}_${["4_4", "4_8", "8_8"][i % 3]}`, block: 32, bytes: 18 },
  ]),
  [34, { name: "TQ1_0", block: 256, bytes: 54 }],
  [35, { name: "TQ2_0", block: 256, bytes: 66 }],
  [39, { name: "MXFP4", block: 32, bytes: 17, format: "gguf_mxfp4" }],
  [40, { name: "NVFP4", block: 64, bytes: 36 }],
  [41, { name: "Q1_0", block: 128, bytes: 18 }],
]);

/** An array of the metadata that stays in the file until somebody asks: vocabularies are the bulk of a header. */
export interface GgufArray {
  readonly kind: "array";
  readonly type: number;
  readonly count: number;
  readonly offset: number; // of its first value in the file
  readonly length: number; // bytes
}

export type GgufValue = number | bigint | boolean | string | GgufArray;

export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[]; // outermost axis first, the other way round than in the file
  readonly type: number;
  readonly offset: number; // in the file
  readonly length: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  readonly hash: string; // SHA-256 of the header's bytes
}

export function isArray(value: GgufValue | undefined): value is GgufArray {
  return typeof value === "object";
}
