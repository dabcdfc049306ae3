import type { OptionTable } from "@llm/target";

/** How weights are kept. Only this shapes the artefact: one serves any number of slots and any context. */
export type CpuFormat = "fp32" | "int8" | "int4";

/** What a user can say of a run on the CPU. */
export interface CpuOptions {
  readonly format: CpuFormat;
  /** How many sequences are held at once. */
  readonly batchSize: number;
  /** Most tokens of a sequence; 0: as many as the model takes. */
  readonly ctxLen: number;
  /** 0: as many as this process may use. */
  readonly threads: number;
}

export const cpuOptions: OptionTable<CpuOptions> = {
  format: {
    kind: "choice",
    doc: "How weights are kept: as float32, or in 8 or 4 bits with a scale for every 32 of them.",
    default: "fp32",
    choices: ["fp32", "int8", "int4"],
    shapes: true,
  },
  batchSize: {
    kind: "number",
    whole: true,
    doc: "How many sequences are held at once.",
    default: 1,
    min: 1,
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
    doc: "Threads; 0, and at most: as many cores as this process may use.",
    default: 0,
    min: 0,
    shapes: false,
  },
};
